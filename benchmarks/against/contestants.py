"""The contestants of ``against_peers.py``: us in every target, closed forms by hand, JAX, PyTorch, autograd.

Each function gives ``{name: call without arguments}``; what a library or target lacks is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import numpy as np
from against.case import KEPT, Case

import pullback as pb

Calls = dict[str, Callable[[], Any]]
OURS = ("numpy", "planned", "jax", "torch", "native", "auto")
# forward passes for so many tangents at once, or for pairs of them, take minutes beyond
PASSES = {"jacfwd": 10_000, "jacfwd∘jacfwd": 200}


def ours(case: Case) -> Calls:
    """Our derivative in each target that this installation has."""
    f = pb.parse(case.text, shapes=dict(case.axes), assume=dict(case.assume))
    derive = {
        "gradient": pb.gradient,
        "jacobian": pb.jacobian,
        "hessian": pb.hessian,
        "hvp": pb.hvp,
    }
    d = derive[case.order](f, case.wrt)
    given = dict(case.arrays)
    if case.order == "hvp":
        given[f"{case.wrt}_dot"] = case.vector
    return _kept(d, given, case) if case.form == KEPT else _dense(d, given)


def _dense(d: Any, given: dict[str, Any]) -> Calls:
    made: Calls = {}
    for name in OURS:
        try:
            how = {"planned": True} if name == "planned" else {"target": name}
            fn = pb.compile(d, **how)
            if name == "jax":
                made[name] = _jitted(fn, given)
            elif name == "torch":
                import torch

                tensors = {k: torch.from_numpy(np.asarray(v)) for k, v in given.items()}
                made[name] = partial(fn, **tensors)
            else:
                made[name] = partial(fn, **given)
        except (pb.PullbackError, ImportError):
            continue
    return made


def _kept(d: Any, given: dict[str, Any], case: Case) -> Calls:
    made: Calls = {}
    for name in ("numpy", "native", "auto"):
        fn = pb.compile(d, structure="keep", target=name)
        if case.build_only:
            made[f"kept, {name}"] = lambda fn=fn: fn(**given).core
        else:
            made[f"kept, {name}"] = lambda fn=fn: fn(**given) @ case.vector
    return made


def _jitted(fn: Any, given: dict[str, Any]) -> Callable[[], Any]:
    import jax

    arrays = {k: jax.device_put(v) for k, v in given.items()}
    run = jax.jit(fn)
    return lambda: run(**arrays).block_until_ready()


def by_hand(case: Case) -> Calls:
    """The closed forms in NumPy and, where they can be traced, under ``jax.jit``."""
    import jax

    given: dict[str, Any] = dict(case.arrays)
    if case.vector is not None:
        given["v"] = case.vector
    made: Calls = {}
    for name, form in case.hand.items():
        wanted = given if takes_any(form) else {k: given[k] for k in needed(form) if k in given}
        made[f"{name} (NumPy)"] = partial(form, np, **wanted)
        if "numpy" not in name:
            arrays = {k: jax.device_put(v) for k, v in wanted.items()}
            run = jax.jit(partial(form, jax.numpy))
            made[f"{name} (jit)"] = lambda run=run, arrays=arrays: run(**arrays).block_until_ready()
    return made


def takes_any(form: Callable[..., Any]) -> bool:
    return bool(form.__code__.co_flags & 0x08)  # has ** parameters


def needed(form: Callable[..., Any]) -> tuple[str, ...]:
    return form.__code__.co_varnames[1 : form.__code__.co_argcount]


# the peers


def jax_peers(case: Case) -> Calls:
    import jax
    from jax.scipy.special import logsumexp

    lib = SimpleNamespace(
        **{n: getattr(jax.numpy, n) for n in ("exp", "log1p", "sum")},
        relu=jax.nn.relu,
        sigmoid=jax.nn.sigmoid,
        softmax=jax.nn.softmax,
        logsumexp=logsumexp,
        logdet=lambda X: jax.numpy.linalg.slogdet(X)[1],
        solve=jax.numpy.linalg.solve,
    )
    f = jax.device_put
    arrays = {k: f(v) for k, v in case.arrays.items()}
    at = arrays.pop(case.wrt)

    def loss(x, rest):
        return case.loss(lib, **{case.wrt: x}, **rest)

    if case.order == "hvp" or case.form == KEPT:
        if case.build_only:
            return {}
        v = f(case.vector)
        inner = loss if case.order == "jacobian" else jax.grad(loss)
        run = jax.jit(lambda x, r, v: jax.jvp(lambda x: inner(x, r), (x,), (v,))[1])
        name = "jvp" if case.order == "jacobian" else "jvp∘grad"
        return {f"jax {name}": lambda: run(at, arrays, v).block_until_ready()}
    operators = {
        "gradient": {"grad": jax.grad},
        "jacobian": {"jacfwd": jax.jacfwd, "jacrev": jax.jacrev},
        "hessian": {
            "hessian": jax.hessian,
            "jacfwd∘jacfwd": lambda f: jax.jacfwd(jax.jacfwd(f)),
            "jacrev∘grad": lambda f: jax.jacrev(jax.grad(f)),
        },
    }[case.order]
    made: Calls = {}
    for name, operator in operators.items():
        if at.size > PASSES.get(name, at.size):
            continue
        run = jax.jit(operator(loss))
        made[f"jax {name}"] = lambda run=run: run(at, arrays).block_until_ready()
    return made


def torch_peers(case: Case) -> Calls:
    try:
        import torch
    except ImportError:
        return {}
    torch.set_num_threads(1)
    lib = SimpleNamespace(
        **{n: getattr(torch, n) for n in ("exp", "log1p", "sum", "relu", "sigmoid")},
        softmax=lambda x: torch.softmax(x, -1),
        logsumexp=lambda x: torch.logsumexp(x, 0),
        logdet=lambda X: torch.linalg.slogdet(X)[1],
        solve=torch.linalg.solve,
    )
    arrays = {k: torch.from_numpy(v) for k, v in case.arrays.items()}
    at = arrays.pop(case.wrt)

    def loss(x):
        return case.loss(lib, **{case.wrt: x}, **arrays)

    if case.order == "hvp" or case.form == KEPT:
        if case.build_only:
            return {}
        v = torch.from_numpy(case.vector)
        inner = loss if case.order == "jacobian" else torch.func.grad(loss)
        return {"torch.func jvp": lambda: torch.func.jvp(inner, (at,), (v,))[1]}
    if case.order == "gradient":
        return {"torch.func grad": partial(torch.func.grad(loss), at)}
    if case.order == "jacobian":
        return {
            "torch.func jacrev": partial(torch.func.jacrev(loss), at),
            "torch.func jacfwd": partial(torch.func.jacfwd(loss), at),
        }
    return {"torch.func hessian": partial(torch.func.hessian(loss), at)}


def autograd_peers(case: Case) -> Calls:
    try:
        import autograd
        import autograd.numpy as anp
        from autograd.scipy.special import logsumexp
    except ImportError:
        return {}

    def sigmoid(x):
        return 1 / (1 + anp.exp(-x))

    def softmax(x):
        e = anp.exp(x - anp.max(x, axis=-1, keepdims=True))
        return e / anp.sum(e, axis=-1, keepdims=True)

    lib = SimpleNamespace(
        **{n: getattr(anp, n) for n in ("exp", "log1p", "sum")},
        relu=lambda x: anp.maximum(x, 0),
        sigmoid=sigmoid,
        softmax=softmax,
        logsumexp=logsumexp,
        logdet=lambda X: anp.linalg.slogdet(X)[1],
        solve=anp.linalg.solve,
    )
    arrays = dict(case.arrays)
    at = arrays.pop(case.wrt)

    def loss(x):
        return case.loss(lib, **{case.wrt: x}, **arrays)

    if case.order == "hvp" or (case.form == KEPT and case.order == "hessian"):
        if case.build_only:
            return {}
        product = autograd.hessian_vector_product(loss)
        return {"autograd hvp": lambda: product(at, case.vector)}
    if case.form == KEPT or at.size > 1000:
        return {}  # a pass in Python for every row: minutes
    operator = {
        "gradient": autograd.grad,
        "jacobian": autograd.jacobian,
        "hessian": autograd.hessian,
    }[case.order]
    return {f"autograd {case.order}": partial(operator(loss), at)}
