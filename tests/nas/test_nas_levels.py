"""The gradient of the upper level against autograd, where the step ahead is differentiable."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from wakeword.training.nas.levels import Levels, Step, first_order, second_order

Losses = tuple[Callable[[Tensor, Tensor], Tensor], Callable[[Tensor, Tensor], Tensor]]
RATE, MOMENTUM, DECAY = 0.1, 0.9, 0.01


def problem(seed: int) -> tuple[Tensor, Tensor, Losses]:
    """A softmax over two maps of the input, the weights of both; not linear in either."""
    torch.manual_seed(seed)
    weights = torch.randn(2, 5, dtype=torch.float64, requires_grad=True)
    alpha = torch.randn(2, dtype=torch.float64, requires_grad=True)
    data = [(torch.randn(7, 5, dtype=torch.float64), torch.randn(7, dtype=torch.float64))
            for _ in range(2)]  # fmt: skip

    def loss(x: Tensor, y: Tensor) -> Callable[[Tensor, Tensor], Tensor]:
        def of(w: Tensor, a: Tensor) -> Tensor:
            made = torch.tanh(x @ w.T) @ a.softmax(0)
            return functional.mse_loss(made, y)

        return of

    return weights, alpha, (loss(*data[0]), loss(*data[1]))


def levels_of(weights: Tensor, alpha: Tensor, losses: Losses) -> Levels:
    lower, upper = losses
    return Levels([weights], [alpha], lambda: lower(weights, alpha), lambda: upper(weights, alpha))


@pytest.mark.parametrize("seed", range(5))
def test_second_order_is_the_gradient_through_the_step(seed: int) -> None:
    weights, alpha, losses = problem(seed)
    moving = 0.3 * torch.ones_like(weights)
    lower, upper = losses
    (pull,) = torch.autograd.grad(lower(weights, alpha), weights, create_graph=True)
    ahead = weights - RATE * (pull + DECAY * weights + MOMENTUM * moving)
    (exact,) = torch.autograd.grad(upper(ahead, alpha), alpha)
    before = weights.detach().clone()
    (found,) = second_order(
        levels_of(weights, alpha, losses), Step(RATE, MOMENTUM, DECAY, [moving])
    )
    assert torch.equal(weights, before)
    assert torch.allclose(found, exact, rtol=2e-3, atol=1e-6)
    (simple,) = first_order(levels_of(weights, alpha, losses))
    assert (found - exact).norm() < 0.05 * (simple - exact).norm()


def test_first_order_takes_the_weights_as_they_are() -> None:
    weights, alpha, losses = problem(1)
    (exact,) = torch.autograd.grad(losses[1](weights, alpha), alpha)
    levels = levels_of(weights, alpha, losses)
    assert torch.equal(first_order(levels)[0], exact)
    (still,) = second_order(levels, Step(0.0))
    assert torch.allclose(still, exact)


def test_a_quadratic_has_the_closed_form() -> None:
    """lower (w - a)^2 / 2, upper w^2 / 2: w' = w - r (w - a), and d upper / da = r w'."""
    w, a = (torch.tensor([v], dtype=torch.float64, requires_grad=True) for v in (3.0, 1.0))
    levels = Levels([w], [a], lambda: ((w - a) ** 2).sum() / 2, lambda: (w**2).sum() / 2 + 0 * a)
    (found,) = second_order(levels, Step(0.5))
    assert float(found) == pytest.approx(0.5 * (3.0 - 0.5 * 2.0))
