"""Every figure of the book, one function each, in a module for each chapter.

A function takes results of the library and returns a Matplotlib figure; nothing is
computed here that a text would quote.
"""
