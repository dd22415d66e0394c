"""Functions that come from SciPy: where they have no value, and what their code needs."""

import numpy as np
import pytest
from scipy import special

import pullback as pb
from pullback.compilation import extras
from pullback.errors import DomainError, PullbackError


@pytest.mark.parametrize("name", ["gamma", "lgamma", "digamma"])
@pytest.mark.parametrize("planned", [False, True])
def test_a_pole_is_named(name, planned):
    f = getattr(pb, name)(pb.vector("x", "n"))
    fn = pb.compile(f, planned=planned)
    for at in (0.0, -2.0):
        with pytest.raises(DomainError, match=f"^{name} leaves the real numbers"):
            fn(x=np.array([1.0, at]))
    assert np.isnan(fn(x=np.array([1.0, np.nan]))[1])
    quiet = pb.compile(f, planned=planned, checked=False)
    assert not np.isfinite(quiet(x=np.array([1.0, -2.0]))[1])


def test_the_code_stands_alone_and_imports_what_it_uses():
    s = pb.scalar("s")
    source = pb.code(pb.derivative(pb.lgamma(s), "s"))
    assert "from scipy import special" in source
    space = {}
    exec(source, space)
    assert space["compute"](2.5) == pytest.approx(special.digamma(2.5), rel=1e-15)
    assert "scipy" not in pb.code(pb.derivative(pb.log(s), "s"))


def test_a_missing_scipy_is_said(monkeypatch):
    monkeypatch.setattr(extras, "find_spec", lambda name: None)
    with pytest.raises(PullbackError, match="SciPy, which is not installed"):
        pb.compile(pb.erf(pb.scalar("s")))
    assert pb.compile(pb.exp(pb.scalar("s")))(s=0.0) == 1


def test_pi_is_a_number_unless_it_is_declared():
    area = pb.parse("pi*s^2")
    assert pb.compile(area)(s=2.0) == pytest.approx(4 * np.pi, rel=1e-15)
    assert pb.parse("π*s^2").node is area.node
    own = pb.parse("pi: n\nsum(pi)")
    assert pb.compile(pb.derivative(own, "pi"))(pi=np.zeros(3)).tolist() == [1, 1, 1]


def test_gamma_may_be_a_letter():
    kernel = pb.parse("exp(-gamma*norm2(x - y)^2)")
    assert "gamma" in kernel.program.variables
    assert pb.compile(pb.parse("gamma(s)", shapes={"s": ()}))(s=5.0) == pytest.approx(24, rel=1e-14)
    with pytest.raises(PullbackError, match="'gamma' is a variable here and called as a function"):
        pb.parse("gamma*gamma(s)")


def test_any_order_of_digamma():
    s = pb.scalar("s")
    third = pb.compile(pb.derivative(pb.digamma(s), "s", "s", "s"))
    assert third(s=1.7) == pytest.approx(special.polygamma(3, 1.7), rel=1e-13)
