"""Safetensors: tensors by name, of the types that numpy has and bfloat16."""

from __future__ import annotations

from typing import IO

import numpy as np

from ltviz.data.upload.contents import Contents
from ltviz.errors import DataError


def read(file: IO[bytes], size: int, _most_bytes: int) -> Contents:  # it unpacks to no more than it has
    import safetensors

    length = int.from_bytes(file.read(8), "little")
    if length > 1 << 20 or length + 8 > size:
        raise DataError(f"The safetensors header claims {length:,} bytes of a file of {size:,}; save the file again.")
    file.seek(0)
    try:
        tensors = safetensors.deserialize(file.read())
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise DataError("The safetensors file is damaged; save it again with safetensors.") from error
    types = {"F64": "<f8", "F32": "<f4", "F16": "<f2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "i1"}
    types |= {"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "u1", "BOOL": "?"}
    arrays = {}
    for name, tensor in tensors:
        if tensor["dtype"] == "BF16":
            # bfloat16 is the upper half of a float32.
            array = (np.frombuffer(tensor["data"], "<u2").astype(np.uint32) << 16).view(np.float32)
        elif tensor["dtype"] in types:
            array = np.frombuffer(tensor["data"], types[tensor["dtype"]])
        else:
            raise DataError(f"Tensors of type {tensor['dtype']} are not read; save '{name[:60]}' as float32.")
        arrays[name] = array.reshape(tensor["shape"])
    return Contents(arrays, noun="array")
