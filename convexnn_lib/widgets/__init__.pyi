from .arrangement import ArrangementFigure as ArrangementFigure
from .clarke import ClarkeFigure as ClarkeFigure
from .column_generation import ColumnGenerationFigure as ColumnGenerationFigure
from .convex_equivalence import ConvexEquivalenceFigure as ConvexEquivalenceFigure
from .early_alignment import EarlyAlignmentFigure as EarlyAlignmentFigure
from .landscapes import LandscapesFigure as LandscapesFigure
from .network_path import NetworkPathFigure as NetworkPathFigure
from .rectified_ellipsoid import RectifiedEllipsoidFigure as RectifiedEllipsoidFigure
from .rectified_ellipsoid import (
    RectifiedEllipsoidInSpaceFigure as RectifiedEllipsoidInSpaceFigure,
)
from .zonotopes import ZonotopesFigure as ZonotopesFigure
