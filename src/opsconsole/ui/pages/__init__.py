"""Pages: rows of one reading of one source, with what there is to say and to do about each.

What the workbench and the pipelines are made of; a page knows nothing of widgets.
"""
