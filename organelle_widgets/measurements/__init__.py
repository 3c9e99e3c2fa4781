"""What can be measured of a cell, in plain columns with units and definitions."""
