from chasqui.run.dataset import dataset as dataset
from chasqui.run.local import Packed as Packed
from chasqui.run.local import pack as pack

__version__: str
