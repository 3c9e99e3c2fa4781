"""The networks themselves as torch modules; a backend imports its own inside the function that builds it."""
