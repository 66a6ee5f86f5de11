from . import datasets as datasets
from . import errors as errors
from . import exercises as exercises
from . import plotting as plotting
from . import typing as typing
from . import widgets as widgets
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
from .beyond.deep_linear import DeepLinearValues as DeepLinearValues
from .beyond.deep_linear import deep_linear_values as deep_linear_values
from .beyond.deep_linear import train_deep_linear as train_deep_linear
from .beyond.flow_limit import FlowLimit as FlowLimit
from .beyond.flow_limit import flow_limit as flow_limit
from .beyond.hardness import MaxCut as MaxCut
from .beyond.hardness import graph_arrangement as graph_arrangement
from .beyond.hardness import max_cut as max_cut
from .beyond.hardness import max_cut_data as max_cut_data
from .beyond.hardness import stationarity_test as stationarity_test
from .beyond.parallel_network import ParallelNetwork as ParallelNetwork
from .beyond.planted_recovery import PlantedRecovery as PlantedRecovery
from .beyond.planted_recovery import planted_recovery as planted_recovery
from .beyond.sharpness import sharpness as sharpness
from .beyond.three_layer import ParallelSolution as ParallelSolution
from .beyond.three_layer import certify_parallel as certify_parallel
from .beyond.three_layer import solve_parallel as solve_parallel
from .beyond.three_layer_descent import train_parallel as train_parallel
from .certificates.certificate import Certificate as Certificate
from .certificates.certify import certify as certify
from .certificates.dual_bound import DualBound as DualBound
from .certificates.dual_bound import dual_bound as dual_bound
from .certificates.dual_norm import beta_max as beta_max
from .certificates.dual_norm import dual_norm as dual_norm
from .certificates.extreme_neuron import ExtremeNeuron as ExtremeNeuron
from .certificates.output_norm import OutputNorm as OutputNorm
from .certificates.output_norm import output_norm as output_norm
from .certificates.spike_free import is_spike_free as is_spike_free
from .errors import GapWarning as GapWarning
from .errors import VerificationError as VerificationError
from .estimators import ConvexReLUClassifier as ConvexReLUClassifier
from .estimators import ConvexReLURegressor as ConvexReLURegressor
from .flow.flow_history import FlowHistory as FlowHistory
from .flow.gradient_flow import gradient_flow as gradient_flow
from .flow.gradient_flow_ensemble import (
    gradient_flow_ensemble as gradient_flow_ensemble,
)
from .flow.kkt_residual import KKTResidual as KKTResidual
from .flow.kkt_residual import kkt_residual as kkt_residual
from .flow.margin import MarginCertificate as MarginCertificate
from .flow.margin import certify_margin as certify_margin
from .flow.margin import is_orthogonally_separable as is_orthogonally_separable
from .flow.margin import max_margin as max_margin
from .flow.margin import normalized_margin as normalized_margin
from .flow.margin import smoothed_margin as smoothed_margin
from .geometry.hull_gauge import HullGauge as HullGauge
from .geometry.hull_gauge import hull_gauge as hull_gauge
from .geometry.hull_gauge import sample_spikes as sample_spikes
from .geometry.orthogonal_margin import OrthogonalMargin as OrthogonalMargin
from .geometry.orthogonal_margin import linear_margin as linear_margin
from .geometry.orthogonal_margin import orthogonal_margin as orthogonal_margin
from .geometry.shapes import Mesh as Mesh
from .geometry.zonotope_distance import ZonotopeDistance as ZonotopeDistance
from .geometry.zonotope_distance import zonotope_distance as zonotope_distance
from .optima.connectivity import Connectivity as Connectivity
from .optima.membership import Membership as Membership
from .optima.optimal_path import OptimalPath as OptimalPath
from .optima.optimal_set import OptimalSet as OptimalSet
from .problem.losses import HardMargin as HardMargin
from .problem.losses import Hinge as Hinge
from .problem.losses import Logistic as Logistic
from .problem.losses import Loss as Loss
from .problem.losses import MarginLoss as MarginLoss
from .problem.losses import Multinomial as Multinomial
from .problem.losses import Squared as Squared
from .problem.network import ReLUNetwork as ReLUNetwork
from .problem.training_problem import TrainingProblem as TrainingProblem
from .stationarity._restricted_program import RestrictedOptimum as RestrictedOptimum
from .stationarity.clarke_residual import ClarkeResidual as ClarkeResidual
from .stationarity.clarke_residual import clarke_residual as clarke_residual
from .stationarity.classify_stationary import StationaryPoint as StationaryPoint
from .stationarity.classify_stationary import classify_stationary as classify_stationary
from .stationarity.descent_path import DescentPath as DescentPath
from .stationarity.descent_path import descent_path as descent_path
from .stationarity.directional_derivative import (
    directional_derivative as directional_derivative,
)
from .stationarity.find_stationary_points import StationaryPoints as StationaryPoints
from .stationarity.find_stationary_points import (
    find_stationary_points as find_stationary_points,
)
from .stationarity.settle import settle as settle
from .stationarity.subsampled_problem import SubsampledProblem as SubsampledProblem
from .stationarity.subsampled_problem import subsampled_problem as subsampled_problem
from .training._column_generation import Round as Round
from .training.free_constant import ConstantSolution as ConstantSolution
from .training.free_constant import solve_with_constant as solve_with_constant
from .training.gated import GatedSolution as GatedSolution
from .training.gated import solve_gated as solve_gated
from .training.solution_path import SolutionPath as SolutionPath
from .training.solution_path import solution_path as solution_path
from .training.solve import Solution as Solution
from .training.solve import solve as solve

__version__: str
