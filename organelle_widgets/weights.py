"""The model store: which weights can be downloaded, from where, under which licence, and where they are kept."""
