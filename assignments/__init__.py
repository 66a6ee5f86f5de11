"""The course's assignments: problem sets, and the programs that grade them.

``python -m assignments --help`` lists the commands; the book's instructor's guide
explains them.
"""
