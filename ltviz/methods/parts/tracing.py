"""Whether somebody looks at the operations of a loss instead of at its numbers."""

from __future__ import annotations

import torch
from torch.autograd import forward_ad


def is_transformed() -> bool:
    """Inside a transform of `torch.func`, or forward-mode differentiation: only plain operations have rules for it."""
    stack = torch._C._functorch.peek_interpreter_stack()  # pyright: ignore[reportAttributeAccessIssue]
    return stack is not None or forward_ad._current_level >= 0


def is_traced() -> bool:
    """Inside `torch.compile` or a transform of `torch.func`: values cannot be read, and so are not checked."""
    return torch.compiler.is_compiling() or is_transformed()
