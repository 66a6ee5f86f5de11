from .arrangement import ArrangementFigure as ArrangementFigure
