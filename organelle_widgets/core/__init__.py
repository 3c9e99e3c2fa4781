"""The nouns of the package: fields, masks, cells, classes, predictions, results.

Only NumPy and pandas, frozen dataclasses and pure functions. Nothing here reads files, runs models or draws.
"""
