"""Every row of the table."""

from __future__ import annotations

from collections.abc import Callable

from against.case import Case
from against.losses import (
    factorisation_cases,
    large_cases,
    logistic_case,
    logistic_hessian_root,
    logistic_hessian_scaled,
)
from against.matrices import attention_case, gaussian_case, logdet_cases, quadratic_case
from against.networks import layer_cases, network_cases


def cases() -> list[Callable[[], list[Case]]]:
    """Every row of the table, made when its turn comes."""
    hessians = {"scaled": logistic_hessian_scaled, "root": logistic_hessian_root}
    made: list[Callable[[], list[Case]]] = [
        lambda n=n, peer=peer: [
            logistic_case(
                "Hessian of logistic loss",
                f"n = {n}, m = {2 * n}",
                "hessian",
                2 * n,
                n,
                hessians,
                1.2,
                peer,
            )
        ]
        for n, peer in ((100, 1.7), (500, 2.5), (1000, 2.5))
    ]
    made += [
        lambda n=n, peer=peer: factorisation_cases(n, peer)
        for n, peer in ((30, 11), (100, 300), (300, 800))
    ]
    made += [
        lambda n=n, act=act, peer=peer: network_cases(n, act, peer)
        for act in ("relu", "sigmoid")
        for n, peer in ((20, 3), (40, 5))
    ]
    made += [lambda n=n, peer=peer: layer_cases(n, peer) for n, peer in ((100, 1), (200, 3))]
    made += [
        lambda n=n, peer=peer: [quadratic_case(n, peer)] for n, peer in ((100, 12), (1000, 15))
    ]
    made += [lambda: logdet_cases(30)]
    made += [lambda n=n, peer=peer: [gaussian_case(n, peer)] for n, peer in ((100, 2), (500, 1.7))]
    made += [
        lambda n=n, peer=peer: [attention_case(n, peer)] for n, peer in ((256, 1.1), (1024, 1.2))
    ]
    return [*made, large_cases]
