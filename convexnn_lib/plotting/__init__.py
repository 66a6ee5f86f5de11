"""Every figure of the book, one function each, in a module for each chapter."""
