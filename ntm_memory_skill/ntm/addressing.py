"""The Neural Turing Machine's addressing mechanism, as pure functions (Graves, Wayne & Danihelka 2014, §3.1–3.3).

    cos      = k · M_i / (|k| |M_i|)               similarity()    eq. 6, the paper's K[k, M_i]
    w_c(i)   = softmax_i( β · score_i )            content()       eq. 5
    w_g      = g · w_c + (1 − g) · w_{t−1}         interpolate()   eq. 7
    w̃(i)     = Σ_j w_g(j) · s(i − j mod N)         shift()         eq. 8
    w̃(i)     = Σ_j w_g(j) · s(i − j), on one tape  shift_along()   eq. 8 within segments; or conveyance() and convey()
    w(i)     = w̃(i)^γ / Σ_j w̃(j)^γ                 sharpen()       eq. 9
    r        = Σ_i w(i) M_i                        read()          eq. 2
    M_i      = M_i ∘ (1 − w(i) e) + w(i) a         write()         eq. 3 and 4

They are written once, over the array API standard: the same lines run on torch tensors, with gradients, and on numpy
arrays. Each takes any number of leading batch dimensions, written ``...`` below; N is the number of slots, M the length
of a key and R the reach of the shift. Nothing is modified in place. Several heads that share one memory are a dimension
of their own, h: similarities(), reads() and writes() are the same equations for all of them at once, without a copy of
the memory for each.

The law: where the input weights are a distribution over the slots (no entry below 0, sum 1), so is every result.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from jaxtyping import Float, Int

from ntm_memory_skill.ntm.namespaces import array_namespace

Array = Any
"""A torch tensor or a numpy array; all arrays of one call are of the same kind."""

EPSILON = 1e-8
"""Keeps a division by zero and the logarithm of zero out of every stage, and their gradients with them."""


class Stages(NamedTuple):
    """The weights after each stage of one addressing, each a distribution over N slots."""

    content: Float[Array, "... n"]
    gated: Float[Array, "... n"]
    shifted: Float[Array, "... n"]
    sharpened: Float[Array, "... n"]


def similarity(key: Float[Array, "... m"], memory: Float[Array, "... n m"]) -> Float[Array, "... n"]:
    """Return the cosine of a key and every row, −1 to 1 (eq. 6). A zero row or key has cosine 0, not NaN."""
    xp = array_namespace(key, memory)
    return xp.squeeze(similarities(key[..., None, :], memory), axis=-2)


def similarities(keys: Float[Array, "... h m"], memory: Float[Array, "... n m"]) -> Float[Array, "... h n"]:
    """Return the cosine of each head's key and every row of the memory that they share (eq. 6); see `similarity`."""
    xp = array_namespace(keys, memory)
    dots = xp.matmul(keys, xp.matrix_transpose(memory))
    squares = xp.sum(memory * memory, axis=-1)[..., None, :] * xp.sum(keys * keys, axis=-1)[..., None]
    return dots / xp.sqrt(squares + EPSILON**2)


def content(
    scores: Float[Array, "... n"], key_strength: Float[Array, "..."] | float, present: Array | None = None
) -> Float[Array, "... n"]:
    """Return the content weighting: a softmax over slots, focused by the key strength β > 0 (eq. 5).

    Args:
        scores: Similarity of the key to each slot; the paper's is a cosine, a hybrid score does as well.
        key_strength: β, one per leading index; 0 gives a uniform weighting, infinity is not allowed.
        present: Booleans, shape ``(... n)``: slots that are False get no weight. At least one must be True.
    """
    xp = array_namespace(scores)
    logits = scores * _column(xp, key_strength, scores)  # β
    if present is not None and not bool(xp.all(present)):  # as a rule all are
        logits = xp.where(present, logits, xp.asarray(-xp.inf, dtype=logits.dtype))
    exponentials = xp.exp(logits - _fixed(xp.max(logits, axis=-1, keepdims=True)))
    return exponentials / xp.sum(exponentials, axis=-1, keepdims=True)


def interpolate(
    weights: Float[Array, "... n"], previous: Float[Array, "... n"], gate: Float[Array, "..."] | float
) -> Float[Array, "... n"]:
    """Blend the content weighting with the head's previous one by the gate g in [0, 1] (eq. 7). 1 forgets the past."""
    xp = array_namespace(weights)
    g = _column(xp, gate, weights)
    return g * weights + (1 - g) * previous


def shift(weights: Float[Array, "... n"], kernel: Float[Array, "... width"]) -> Float[Array, "... n"]:
    """Rotate the weighting by the shift distribution s, circularly over all N slots (eq. 8).

    Args:
        weights: A distribution over slots.
        kernel: s, a distribution over the offsets −R … R, so of odd width 2R + 1. Weight on offset +1 moves the focus
            from slot i to slot i + 1. An offset beyond N wraps around as often as it must.
    """
    xp = array_namespace(weights)
    reach = _reach(kernel)
    moved = [kernel[..., o + reach, None] * xp.roll(weights, o, axis=-1) for o in range(-reach, reach + 1)]
    return _total(moved)


def shift_along(
    weights: Float[Array, "... n"],
    kernel: Float[Array, "... width"],
    sources: Int[Array, "width n"],
    passing: Float[Array, "... width n"] | None = None,
) -> Float[Array, "... n"]:
    """Shift the weighting along tapes, so that none of it leaks from one tape into another (eq. 8 within segments).

    Weight that would run off an end of its tape, or is not let pass, stays where it is: the sum is kept, and a tape of
    one slot is untouched.

    Args:
        weights: A distribution over slots.
        kernel: s, a distribution over the offsets −R … R.
        sources: ``sources[o + R, i]`` is the slot that stands `o` places before slot i on i's tape, or N where there
            is none; `ntm.tape.Tape.sources` makes it. Row R is the identity.
        passing: ``passing[..., o + R, i]`` in [0, 1] is the share of what is on its way to slot i from `o` places
            before it that may arrive. None lets all of it pass.
    """
    xp = array_namespace(weights)
    reach, slots = _reach(kernel), weights.shape[-1]
    padded = _with_nowhere(xp, weights)
    moved = []
    for o in range(-reach, reach + 1):
        share = kernel[..., o + reach, None]
        arriving = xp.take(padded, sources[o + reach, :], axis=-1)
        to = sources[reach - o, :]
        if passing is None:
            staying = weights * xp.astype(to == slots, weights.dtype)
        else:
            let = passing[..., o + reach, :]
            arriving = arriving * let
            staying = weights * (1 - xp.take(_with_nowhere(xp, let), to, axis=-1))
        moved.append(share * (arriving + staying))
    return _total(moved)


class Conveyance(NamedTuple):
    """A shift along tapes as a linear map of the weights: made once for a kernel, used for every question."""

    arriving: Float[Array, "width n"]
    """Share of the weight on `sources[o + R, i]` that slot i gets; that on the slot itself is counted as staying."""
    staying: Float[Array, "n"]
    """Share of its own weight that a slot keeps: the kernel's middle, what has nowhere to go, and what may not pass."""


def conveyance(
    kernel: Float[Array, "width"],
    there: Array,
    relative_lengths: Float[Array, "width n"],
    length_ratio: Float[Array, ""] | float,
) -> Conveyance:
    """Return what `shift_along` does to any weighting, for one head. Each column follows from its own alone.

    Args:
        kernel: s, a distribution over the offsets −R … R.
        there: Booleans, shape ``(width n)``: whether a tape has a slot at this offset before slot i.
        relative_lengths: As `passing` takes them. Of two slots, each has the negative of the other's.
        length_ratio: As `passing` takes it.
    """
    xp = array_namespace(kernel)
    shares, reach = kernel[:, None], _reach(kernel)
    arriving = shares * passing(relative_lengths, length_ratio) * xp.astype(there, kernel.dtype)
    leaving = passing(-xp.flip(relative_lengths, axis=0), length_ratio) * xp.astype(
        xp.flip(there, axis=0), kernel.dtype
    )
    kept = shares * (1 - leaving)
    return Conveyance(arriving, xp.sum(kept, axis=0) - kept[reach, :] + kernel[reach])


def convey(weights: Float[Array, "... n"], sources: Int[Array, "width n"], by: Conveyance) -> Float[Array, "... n"]:
    """Return the weighting after a shift along tapes: w̃(i) = staying(i) · w(i) + Σ_o arriving(o, i) · w(sources(o, i)).

    The same as `shift_along`, to the rounding.
    """
    xp = array_namespace(weights)
    padded, middle = _with_nowhere(xp, weights), sources.shape[0] // 2
    moved = [weights * by.staying]
    rows = (row for row in range(sources.shape[0]) if row != middle)
    moved += [by.arriving[row, :] * xp.take(padded, sources[row, :], axis=-1) for row in rows]
    return _total(moved)


def passing(relative_lengths: Float[Array, "width n"], length_ratio: Float[Array, "..."] | float) -> Array:
    """Return which share of the shifted weight may pass from each source to each slot, for `shift_along`.

    All of it, unless the slot's text is more than `length_ratio` times as long as the source's; then in inverse
    proportion: a page is about more than the remark beside it.

    Args:
        relative_lengths: ln(length of the source / length of the slot), laid out as `sources` is.
        length_ratio: Above 0, one per leading index; infinity lets everything pass.

    Returns:
        Shape ``(..., width, n)``, each in (0, 1].
    """
    xp = array_namespace(relative_lengths)
    ratio = _column(xp, length_ratio, relative_lengths)[..., None]
    exponent = xp.log(ratio) + relative_lengths
    return xp.exp(xp.where(exponent < 0, exponent, xp.zeros_like(exponent)))


def sharpen(weights: Float[Array, "... n"], sharpening: Float[Array, "..."] | float) -> Float[Array, "... n"]:
    """Raise the weighting to the power γ ≥ 1 and normalise (eq. 9).

    Computed in logarithms, relative to the largest weight, so that neither a large γ nor ten thousand small weights
    underflow to 0/0, and the gradient at a weight of zero is finite.
    """
    xp = array_namespace(weights)
    gamma = _column(xp, sharpening, weights)  # γ
    peak = _fixed(xp.max(weights, axis=-1, keepdims=True))
    relative = weights / (peak + EPSILON**2)
    floored = xp.maximum(relative, xp.asarray(EPSILON, dtype=weights.dtype))
    powered = xp.exp(gamma * xp.log(floored)) * xp.astype(relative > EPSILON, weights.dtype)
    return powered / xp.sum(powered, axis=-1, keepdims=True)


def read(weights: Float[Array, "... n"], memory: Float[Array, "... n m"]) -> Float[Array, "... m"]:
    """Return the read vector r = Σ_i w(i) M_i (eq. 2)."""
    xp = array_namespace(weights, memory)
    return xp.squeeze(reads(weights[..., None, :], memory), axis=-2)


def reads(weights: Float[Array, "... h n"], memory: Float[Array, "... n m"]) -> Float[Array, "... h m"]:
    """Return the read vector of each head over the memory that they share (eq. 2)."""
    return array_namespace(weights, memory).matmul(weights, memory)


def write(
    memory: Float[Array, "... n m"],
    weights: Float[Array, "... n"],
    erase: Float[Array, "... m"],
    add: Float[Array, "... m"],
) -> Float[Array, "... n m"]:
    """Return the memory after a write head has erased, then added, by its weights (eq. 3 and 4). Erase is in [0, 1]."""
    return writes(memory, weights[..., None, :], erase[..., None, :], add[..., None, :])


def writes(
    memory: Float[Array, "... n m"],
    weights: Float[Array, "... h n"],
    erase: Float[Array, "... h m"],
    add: Float[Array, "... h m"],
) -> Float[Array, "... n m"]:
    """Return the memory after all write heads have erased, and then all have added (§3.2), so in no order of theirs."""
    kept, added = memory, []
    for head in range(weights.shape[-2]):
        w = weights[..., head, :, None]
        kept = kept * (1 - w * erase[..., head, None, :])
        added.append(w * add[..., head, None, :])
    return kept + _total(added)


def standardize(scores: Float[Array, "... n"], present: Array) -> Float[Array, "... n"]:
    """Return scores in standard deviations from their mean over the slots that are present; others get 0.

    Where all scores are equal they carry no information, and all results are 0.
    """
    xp = array_namespace(scores)
    if bool(xp.all(present)) and scores.shape[-1] > 0:  # as a rule
        slots = scores.shape[-1]
        centred = scores - xp.sum(scores, axis=-1, keepdims=True) / slots
        return centred / xp.sqrt(xp.sum(centred * centred, axis=-1, keepdims=True) / slots + EPSILON)
    mask = xp.astype(present, scores.dtype)
    count = xp.sum(mask, axis=-1, keepdims=True)
    count = xp.where(count > 0, count, xp.ones_like(count))
    centred = (scores - xp.sum(scores * mask, axis=-1, keepdims=True) / count) * mask
    variance = xp.sum(centred * centred, axis=-1, keepdims=True) / count
    return centred / xp.sqrt(variance + EPSILON)  # far below the spread of any real scores


def _column(xp: Any, value: Any, like: Array) -> Array:
    """Return one parameter per leading index as a column that broadcasts over the slots."""
    if isinstance(value, float | int):
        return xp.asarray(value, dtype=like.dtype)[..., None]
    return xp.astype(value, like.dtype)[..., None]  # asarray can cut a tensor off from its gradient


def _fixed(values: Array) -> Array:
    """Return values that a result does not depend on, as a softmax on what is taken off all its logits: no gradient."""
    return values.detach() if hasattr(values, "detach") else values


def _with_nowhere(xp: Any, values: Array) -> Array:
    """Return values with one more slot behind the last, N, that holds nothing."""
    return xp.concat([values, xp.zeros_like(values[..., :1])], axis=-1)


def _reach(kernel: Array) -> int:
    width = kernel.shape[-1]
    if width % 2 == 0:
        raise ValueError(f"a shift kernel has odd width (offsets -R to R), not {width}")
    return int(width // 2)


def _total(terms: list[Array]) -> Array:
    total = terms[0]
    for term in terms[1:]:
        total = total + term
    return total
