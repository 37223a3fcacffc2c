"""The report: a folder with a page on which an output is looked at, compared and decided on."""
