import math

import pytest
import torch

from smoothclap.objectives.numerics import inner_products, log_mixture, log_predictions, unit_rows


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_inner_products_are_never_in_half_precision(dtype):
    left, right = torch.rand(3, 5, dtype=dtype), torch.rand(4, 5, dtype=dtype)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        products = inner_products(left, right)
    assert products.dtype == (torch.float64 if dtype == torch.float64 else torch.float32)
    torch.testing.assert_close(products.double(), left.double() @ right.double().T, rtol=1e-6, atol=1e-6)


def test_a_row_of_zeros_stays_zero_with_a_modest_gradient():
    features = torch.tensor([[0.0, 0.0], [3.0, 4.0]], requires_grad=True)
    unit = unit_rows(features)
    unit.sum().backward()
    assert unit.tolist() == [[0, 0], [pytest.approx(0.6), pytest.approx(0.8)]]
    assert features.grad[0].tolist() == [1, 1]


def test_unit_rows_of_halves_do_not_overflow():
    assert unit_rows(torch.full((1, 4), 60_000.0, dtype=torch.float16)).tolist() == [[0.5] * 4]


def test_both_predictions_have_rows_that_sum_to_one():
    audio, text = torch.rand(5, 3), torch.rand(5, 3)
    for log_p in log_predictions(audio, text, 10.0):
        torch.testing.assert_close(log_p.exp().sum(dim=1), torch.ones(5))


@pytest.mark.parametrize("weight", [0.0, 1e-300, 1e-9, 0.3, 1 - 1e-9, math.nextafter(1, 0), 1.0])
def test_mixture_with_an_impossible_entry(weight):
    first, second = torch.tensor([-math.inf, -2.0], dtype=torch.float64), torch.tensor([-3.0, -1e4])
    mixed = log_mixture(first, second.double(), weight)
    expected = weight * math.exp(-3)
    assert mixed[0].exp().item() == pytest.approx(expected)
    assert math.isinf(mixed[0].item()) == (weight == 0)
    assert mixed[1].exp().item() == pytest.approx((1 - weight) * math.exp(-2), rel=1e-6)
    assert mixed[1].isfinite()
