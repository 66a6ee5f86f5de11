from . import datasets as datasets
from . import errors as errors
from . import plotting as plotting
from .arrangements.adjacency import Adjacency as Adjacency
from .arrangements.arrangement import Arrangement as Arrangement
from .arrangements.counting import (
    characteristic_polynomial as characteristic_polynomial,
)
from .arrangements.counting import count_patterns as count_patterns
from .arrangements.counting import cover_bound as cover_bound
from .arrangements.counting import cover_count as cover_count
from .arrangements.counting import sauer_bound as sauer_bound
from .arrangements.enumeration import enumerate_patterns as enumerate_patterns
from .arrangements.sampling import sample_patterns as sample_patterns
from .arrangements.verification import Verification as Verification
from .arrangements.verification import VerificationError as VerificationError
from .convex.certificate import Certificate as Certificate
from .convex.certificate import certify as certify
from .convex.dual_norm import beta_max as beta_max
from .convex.dual_norm import dual_norm as dual_norm
from .convex.losses import HardMargin as HardMargin
from .convex.losses import Hinge as Hinge
from .convex.losses import Logistic as Logistic
from .convex.losses import Loss as Loss
from .convex.losses import Squared as Squared
from .convex.network import ReLUNetwork as ReLUNetwork
from .convex.problem import TrainingProblem as TrainingProblem
from .convex.solve import Solution as Solution
from .convex.solve import solve as solve
from .estimators import ConvexReLUClassifier as ConvexReLUClassifier
from .estimators import ConvexReLURegressor as ConvexReLURegressor
from .flow.gradient_flow import gradient_flow as gradient_flow
from .flow.history import FlowHistory as FlowHistory
from .flow.margin import MarginCertificate as MarginCertificate
from .flow.margin import certify_margin as certify_margin
from .flow.margin import is_orthogonally_separable as is_orthogonally_separable
from .flow.margin import max_margin as max_margin
from .flow.margin import normalized_margin as normalized_margin
from .flow.margin import smoothed_margin as smoothed_margin
from .landscape.classify import StationaryPoint as StationaryPoint
from .landscape.classify import classify_stationary as classify_stationary
from .landscape.directional import directional_derivative as directional_derivative
from .landscape.roads import DescentPath as DescentPath
from .landscape.roads import descent_path as descent_path
from .landscape.search import StationaryPoints as StationaryPoints
from .landscape.search import find_stationary_points as find_stationary_points
from .landscape.search import settle as settle
from .landscape.stationarity import ClarkeResidual as ClarkeResidual
from .landscape.stationarity import clarke_residual as clarke_residual
from .landscape.subsampled import SubsampledProblem as SubsampledProblem
from .landscape.subsampled import subsampled_problem as subsampled_problem

__version__: str
