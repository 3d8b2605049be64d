import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smoothclap.paralinguistics.bins import DIMENSIONS, Bins
from smoothclap.paralinguistics.captions import (
    NOTHING_KNOWN,
    STYLES,
    TAGS,
    CaptionError,
    caption,
    tag_table,
    tags_of,
)
from smoothclap.paralinguistics.egemaps import MEASURES

EMOTIONS = ("angry", "bored", "calm", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")

# Written apart from the module's own tables: what may be heard in a caption only where the tag says so.
CLAIMS = {
    ("pitch_mean", "low"): "low pitch|low-pitched|deep",
    ("pitch_mean", "normal"): "normal pitch",
    ("pitch_mean", "high"): "high pitch|high-pitched|high in pitch",
    ("pitch_sd", "low"): "little in pitch|monotone|flat",
    ("pitch_sd", "high"): "much in pitch|lively|rich",
    ("intensity_mean", "low"): "quiet|soft",
    ("intensity_mean", "high"): "loud|powerful",
    ("intensity_sd", "low"): "little in loudness|even|constant",
    ("intensity_sd", "high"): "much in loudness|dynamic|changing",
    ("jitter_mean", "low"): "low jitter",
    ("jitter_mean", "high"): "high jitter",
    ("jitter_sd", "low"): "little in jitter",
    ("shimmer_mean", "high"): "high shimmer",
    ("shimmer_sd", "high"): "much in shimmer",
    ("duration", "low"): "short|brief",
    ("duration", "high"): "long|lengthy",
    ("gender", "female"): "female|woman|she|her",
    ("gender", "male"): "male|man|he|his",
    ("arousal", "low"): "low arousal|little energy",
    ("arousal", "mid"): "mid arousal|medium arousal|moderate energy",
    ("arousal", "high"): "high arousal|lot of energy",
    ("valence", "low"): "low valence|negative",
    ("valence", "high"): "high valence|positive",
    ("dominance", "low"): "low dominance|submissive",
    ("dominance", "high"): "high dominance|dominant",
    ("emotion", "angry"): "angry|anger|angrily",
    ("emotion", "bored"): "bored|boredom",
    ("emotion", "calm"): "calm|calmly",
    ("emotion", "disgusted"): "disgusted|disgust",
    ("emotion", "fearful"): "fearful|fear|afraid",
    ("emotion", "happy"): "happy|happily|happiness|joyful",
    ("emotion", "neutral"): "neutral",
    ("emotion", "sad"): "sad|sadly|sadness|sorrowful",
    ("emotion", "surprised"): "surprised|surprise",
}

values = {name: st.sampled_from(["low", "normal", "high"]) for name in MEASURES}
values |= {name: st.sampled_from(["low", "mid", "high"]) for name in DIMENSIONS}
values |= {"gender": st.sampled_from(["female", "male"]), "emotion": st.sampled_from(EMOTIONS)}
tag_sets = st.fixed_dictionaries({}, optional=values)
seeds = st.none() | st.integers(0, 10_000)


@given(tags=tag_sets, style=st.sampled_from(STYLES), seed=seeds)
def test_says_nothing_but_the_tags(tags: dict[str, str], style: str, seed: int | None):
    text = caption(tags, style=style, seed=seed)
    for (tag, value), words in CLAIMS.items():
        if tags.get(tag) != value:
            assert not re.search(rf"\b({words})\b", text, re.IGNORECASE), (text, tag, value)


@given(tags=tag_sets, style=st.sampled_from(STYLES), seed=seeds)
def test_depends_on_tags_style_and_seed_only(tags: dict[str, str], style: str, seed: int | None):
    backwards = dict(reversed(tags.items()))
    assert caption(tags, style=style, seed=seed) == caption(backwards, style=style, seed=seed)


@given(tags=tag_sets, style=st.sampled_from(STYLES), seed=seeds)
def test_a_known_emotion_is_always_said(tags: dict[str, str], style: str, seed: int | None):
    if "emotion" in tags:
        words = CLAIMS["emotion", tags["emotion"]]
        assert re.search(rf"\b({words})\b", caption(tags, style=style, seed=seed))


@given(tags=tag_sets, seed=st.integers(0, 10_000))
def test_a_draw_is_never_empty(tags: dict[str, str], seed: int):
    assert (caption(tags, style="tags", seed=seed) == NOTHING_KNOWN) == (not tags)


@pytest.mark.parametrize(("tag", "value"), CLAIMS)
def test_each_claim_can_be_heard(tag: str, value: str):
    """Guards the test above: a claim that no caption ever makes would pass it whatever the code does."""
    said = [caption({tag: value}, style=style, seed=seed) for style in STYLES for seed in (None, *range(30))]
    assert any(re.search(rf"\b({CLAIMS[tag, value]})\b", text) for text in said)


def test_every_tag_is_named_in_fixed_order():
    tags = {"emotion": "angry", "intensity_mean": "high", "pitch_mean": "normal"}
    assert caption(tags, style="tags") == "speaker has a normal pitch and is loud and emotion is angry"
    everything = dict.fromkeys(MEASURES, "low") | dict.fromkeys(DIMENSIONS, "mid")
    text = caption(everything | {"gender": "male", "emotion": "sad"}, style="tags")
    assert text.count(" and ") == len(TAGS) - 1


def test_seeds_vary_the_words_and_the_order():
    tags = {
        "pitch_mean": "high",
        "intensity_mean": "low",
        "gender": "female",
        "emotion": "happy",
        "arousal": "mid",
    }
    for style in ("tags", "natural"):
        assert len({caption(tags, style=style, seed=seed) for seed in range(50)}) > 20
    assert {caption(tags, style="emotion", seed=seed) for seed in range(50)} == {"emotion is happy"}


def test_a_gender_that_was_not_drawn_does_not_slip_in_as_a_pronoun():
    tags = {"pitch_mean": "high", "gender": "female"}
    texts = {caption(tags, style="natural", seed=seed) for seed in range(50)}
    unsaid = {text for text in texts if "woman" not in text}
    assert unsaid
    assert unsaid != texts
    assert not any(re.search(r"\b(her|his)\b", text) for text in unsaid)


def test_natural_leaves_roughness_out_where_jitter_and_shimmer_disagree():
    rough = caption({"jitter_mean": "high", "shimmer_mean": "normal"}, style="natural")
    assert rough == "A person speaks, and the voice is rough."
    assert caption({"jitter_mean": "high", "shimmer_mean": "low"}, style="natural") == "A person speaks."


@pytest.mark.parametrize("seed", [None, 0, 1, 2])
@pytest.mark.parametrize("style", STYLES)
def test_an_unknown_emotion_passes_through(style: str, seed: int | None):
    assert "Schadenfreude" in caption({"emotion": "Schadenfreude", "pitch_mean": "low"}, style=style, seed=seed)


def test_without_tags_only_speech_is_claimed():
    assert [caption({}, style=style) for style in STYLES] == [NOTHING_KNOWN, NOTHING_KNOWN, "A person speaks."]
    assert caption({"pitch_mean": "high"}, style="emotion") == NOTHING_KNOWN


def test_a_wrong_style_or_value_is_refused_in_one_line():
    with pytest.raises(CaptionError, match="style 'poem' is unknown; choose one of tags, emotion, natural"):
        caption({}, style="poem")
    with pytest.raises(CaptionError, match="tag 'arousal' is 'normal'; it must be one of low, mid, high"):
        caption({"arousal": "normal"}, style="tags")


def test_missing_and_empty_labels_are_absent():
    assert tags_of({"emotion": " ", "gender": pd.NA, "speaker": "x"}, {"pitch_mean": pd.NA}) == {}
    assert tags_of({}, {"duration": "low"}) == {"duration": "low"}


def test_a_whole_table():
    index = pd.MultiIndex.from_tuples([(f"{i}.wav", 0, 1) for i in range(11)], names=["file", "start", "end"])
    table = pd.DataFrame(
        {
            "emotion": pd.array(["sad", None, *["happy"] * 9], dtype="string"),
            "arousal": pd.array([None, *range(10)], dtype="Float64"),
            "speaker": "a",
        },
        index=index,
    )
    measures = pd.DataFrame({"pitch_mean": [float("nan"), *map(float, range(10))]})
    bins = Bins.fit(measures.assign(arousal=table["arousal"].array), source="test")
    tags = tag_table(table, measures, bins)
    assert tags[0] == {"emotion": "sad"}
    assert tags[1] == {"pitch_mean": "low", "arousal": "low"}
    assert tags[5] == {"pitch_mean": "normal", "arousal": "mid", "emotion": "happy"}
    assert tags[10] == {"pitch_mean": "high", "arousal": "high", "emotion": "happy"}
    with pytest.raises(ValueError, match="11 clips but measures of 10"):
        tag_table(table, measures[1:], bins)
