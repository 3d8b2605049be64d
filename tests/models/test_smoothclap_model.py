import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModel, BertConfig

from smoothclap.models import SmoothClapConfig, SmoothClapModel
from smoothclap.models.configuration_smoothclap import FunctionalsConfig, LogMelConfig
from smoothclap.models.modeling_smoothclap import MAX_LOGIT_SCALE, CheckpointError

TEXT = BertConfig(
    vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32
).to_dict()


def tiny(audio=None) -> SmoothClapModel:
    torch.manual_seed(0)
    audio = audio or LogMelConfig(channels=8, dilations=[1, 2])
    return SmoothClapModel(SmoothClapConfig(audio_config=audio, text_config=TEXT, projection_dim=12)).eval()


@pytest.mark.parametrize("audio", [LogMelConfig(channels=8, dilations=[1, 2]), FunctionalsConfig()])
def test_round_trip_is_bit_equal(tmp_path, audio):
    model = tiny(audio)
    if isinstance(audio, FunctionalsConfig):
        model.audio_model.fit(torch.randn(20, 88) * 3 + 1)
    model.save_pretrained(tmp_path)
    loaded = AutoModel.from_pretrained(tmp_path)
    assert isinstance(loaded, SmoothClapModel)
    assert not loaded.training
    before, after = model.state_dict(), loaded.state_dict()
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert type(loaded.config.audio_config) is type(audio)
    assert isinstance(AutoConfig.from_pretrained(tmp_path), SmoothClapConfig)
    assert not list(tmp_path.glob("*.bin"))


@pytest.mark.parametrize("fault", ["missing", "extra", "shape"])
def test_wrong_weights_are_an_error(tmp_path, fault):
    tiny().save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    weights = load_file(path)
    name = "audio_projection.linear1.weight"
    if fault == "missing":
        del weights[name]
    elif fault == "extra":
        weights["stranger"] = torch.zeros(1)
    else:
        weights[name] = weights[name][:, :3].contiguous()
    save_file(weights, path, metadata={"format": "pt"})
    with pytest.raises(CheckpointError, match=name if fault != "extra" else "stranger"):
        SmoothClapModel.from_pretrained(tmp_path)


def test_a_checkpoint_cut_in_half_is_an_error(tmp_path):
    tiny().save_pretrained(tmp_path)
    path = tmp_path / "model.safetensors"
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(CheckpointError, match="train or copy it again") as caught:
        SmoothClapModel.from_pretrained(tmp_path)
    assert "\n" not in str(caught.value)


def test_padding_never_changes_an_embedding():
    model = tiny()
    frames = torch.randn(3, 90, 64)
    mask = torch.ones(3, 90)
    mask[1, 50:] = 0
    frames[1, 50:] = 1e3  # whatever stands in the padding must not be heard
    together = model.get_audio_features(frames, mask).pooler_output
    alone = model.get_audio_features(frames[1:2, :50]).pooler_output
    torch.testing.assert_close(together[1:2], alone, atol=1e-6, rtol=0)


def test_padding_never_moves_batch_norm_statistics():
    torch.manual_seed(0)
    frames = torch.randn(2, 60, 64)
    padded = torch.cat([frames, torch.zeros(2, 40, 64)], dim=1)
    mask = torch.cat([torch.ones(2, 60), torch.zeros(2, 40)], dim=1)
    plain, masked = tiny().train().audio_model, tiny().train().audio_model
    plain(frames)
    masked(padded, mask)
    torch.testing.assert_close(plain.entry_norm.running_var, masked.entry_norm.running_var)


def test_forward_gives_scaled_cosines_of_unit_vectors():
    model = tiny()
    ids = torch.tensor([[1, 2, 3, 0], [4, 5, 6, 7]])
    mask = torch.tensor([[1, 1, 1, 0], [1, 1, 1, 1]])
    output = model(input_ids=ids, attention_mask=mask, input_features=torch.randn(3, 40, 64))
    assert output.logits_per_audio.shape == (3, 2)
    torch.testing.assert_close(output.logits_per_text, output.logits_per_audio.T)
    torch.testing.assert_close(output.audio_embeds.norm(dim=-1), torch.ones(3))
    cosine = output.audio_embeds @ output.text_embeds.T
    torch.testing.assert_close(output.logits_per_audio, cosine / 0.07, rtol=1e-4, atol=1e-4)
    alone = model.get_text_features(ids[:1, :3], mask[:1, :3]).pooler_output
    torch.testing.assert_close(alone, output.text_embeds[:1], atol=1e-6, rtol=0)


def test_cls_pooling_takes_the_first_token():
    model = tiny()
    model.config.text_pooling = "cls"
    ids, mask = torch.tensor([[1, 2, 3]]), torch.ones(1, 3)
    hidden = model.text_model(input_ids=ids, attention_mask=mask).last_hidden_state
    assert torch.equal(model.pool_text(ids, mask), hidden[:, 0])


def test_logit_scale_is_kept_below_its_bound():
    model = tiny()
    with torch.no_grad():
        model.logit_scale.fill_(50.0)
    assert model.scale.item() == MAX_LOGIT_SCALE


def test_functionals_are_standardised_and_bounded():
    model = tiny(FunctionalsConfig()).audio_model
    values = torch.randn(200, 88) * 4 + 10
    values[:, 0] = 7.0
    model.fit(values)
    pooled = model(values).pooler_output
    np.testing.assert_allclose(pooled[:, 0], 0)
    np.testing.assert_allclose(pooled[:, 1:].mean(0), 0, atol=1e-2)
    assert model(values + 1e6).pooler_output.max() == 5.0
