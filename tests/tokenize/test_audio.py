"""Sound as symbols: every frame has its own, blocks leave no trace, and what claims to decode does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from absent import missing
from clips import at_rate, excerpt
from hypothesis import given, settings
from hypothesis import strategies as st
from lesson import Packed

from chasqui.codecs import lyra
from chasqui.errors import BadConfig, BadModel
from chasqui.media.flac import FlacWriter, read_master
from chasqui.metrics import estoi
from chasqui.store import open_store
from chasqui.tokenize import Options, codec, listen, units
from chasqui.tokenize.sequence import LONGEST_RUN, Sequence


@pytest.fixture(scope="module")
def networks(media: Path) -> Path:
    return media / "models" / "lyra"


def array(lesson: Packed, tokens: Any) -> Any:
    return np.load(lesson.store.path(tokens.blob), allow_pickle=False)


def test_units_of_a_lesson_are_one_for_every_20_ms_and_say_what_they_are(analyzed: Packed) -> None:
    made = analyzed.run("tokenize", tokenize__audio="units-100,units-500", tokenize__runs=True)
    few, runs, many, _ = made.audio
    assert [tokens.name for tokens in made.audio] == [
        "units-100@1.0.0",
        "units-100@1.0.0+runs",
        "units-500@1.0.0",
        "units-500@1.0.0+runs",
    ]
    symbols = array(analyzed, few)
    master = analyzed.get("clean")
    assert symbols.shape == (few.count,) == (-(-master.samples // 960),)
    assert (symbols.dtype, array(analyzed, many).dtype) == (np.uint8, np.uint16)
    assert (few.rate_hz, few.levels, few.vocabulary, few.decodes) == (50.0, 1, 100, False)
    assert few.used == len(set(symbols.tolist())) > 50
    counts = np.bincount(symbols) / len(symbols)
    bits = -sum(share * np.log2(share) for share in counts if share)
    assert few.bits_per_s == pytest.approx(50 * bits, abs=0.01)
    short = array(analyzed, runs)
    assert (np.repeat(short[:, 0], short[:, 1]) == symbols).all()
    assert runs.rate_hz == pytest.approx(50 * len(short) / len(symbols), abs=1e-3)


def test_the_same_lesson_gives_the_same_bytes_and_another_codebook_another_key(
    analyzed: Packed, tmp_path: Path
) -> None:
    first = analyzed.run("tokenize")
    folder = tmp_path / "book"
    units.save(units.load(units.SHIPPED / "units-100"), folder)
    again = analyzed.run("tokenize", tokenize__audio=f"units:{folder}")
    assert again.audio[0].blob.sha256 == first.audio[0].blob.sha256
    before = Options(audio=(f"units:{folder}",)).model_dump(mode="json")
    units.save(units.load(units.SHIPPED / "units-500"), folder)
    assert Options(audio=(f"units:{folder}",)).model_dump(mode="json") != before


def test_blocks_leave_no_trace_in_the_units(analyzed: Packed) -> None:
    master = analyzed.get("clean")
    path, book = analyzed.store.path(master.audio), units.load(units.SHIPPED / "units-500")
    sound = np.concatenate(list(read_master(path, master.gain_db)))
    whole = book.units(listen.frames(listen.Block(sound, 0, len(sound), 0)), book.usual)
    parts = [book.units(listen.frames(block), book.usual) for block in listen.blocks(path, master.gain_db)]
    assert len(parts) > 2
    joined = np.concatenate(parts)
    assert joined.shape == whole.shape
    assert (joined == whole).mean() > 0.995  # what the low-pass rings differs by −98 dB


@pytest.mark.parametrize("samples", [48_000, 48_001, 576_000, 576_001, 576_479, 600_000])
def test_a_recording_of_any_length_has_units_to_its_end(tmp_path: Path, samples: int) -> None:
    path, book = tmp_path / "m.flac", units.load(units.SHIPPED / "units-100")
    with FlacWriter(path) as writer:
        writer.write(np.sin(np.arange(samples) / 20).astype(np.float32) / 4)
    parts = [book.units(listen.frames(block), book.usual) for block in listen.blocks(path, 0.0)]
    assert sum(map(len, parts)) == -(-samples // 960)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.lists(st.integers(0, 3), min_size=1, max_size=30), min_size=1, max_size=6))
def test_runs_of_any_sequence_give_it_back_wherever_it_was_cut(pieces: list[list[int]]) -> None:
    store = open_store("memory:")
    with store.workspace("a", "tokenize") as work:
        line = Sequence(work.folder, 4, runs=True)
        for piece in pieces:
            line.add(np.array(piece)[:, None])
        plain, runs = line.finish("x@1", 50, False, "because", work)
        found, short = (np.load(work.path(tokens.blob)) for tokens in (plain, runs))
    assert found.tolist() == [symbol for piece in pieces for symbol in piece]
    assert np.repeat(short[:, 0], short[:, 1]).tolist() == found.tolist()
    assert (np.diff(short[:, 0].astype(int)) != 0).all()


def test_a_run_longer_than_16_bits_goes_on() -> None:
    with open_store("memory:").workspace("a", "tokenize") as work:
        line = Sequence(work.folder, 4, runs=True)
        for _ in range(3):
            line.add(np.ones((50_000, 1), int))
        _, runs = line.finish("x@1", 50, False, "because", work)
        assert np.load(work.path(runs.blob)).tolist() == [[1, LONGEST_RUN], [1, LONGEST_RUN], [1, 18_930]]


def test_lyra_gives_the_codes_of_the_codec_and_they_decode_to_what_was_said(media: Path, networks: Path) -> None:
    made = codec.open_codec("lyra", networks, 16)
    sound, blocks = two_blocks(media, *made.context)
    codes = np.concatenate(list(made.encode(blocks)))
    assert codes.shape == (650, 16)
    at_16k = at_rate(sound, 16_000)
    whole = lyra.Lyra(networks).encode(at_16k)[:, :16]
    assert (codes == whole).mean() > 0.9  # another low-pass before it, and the networks remember
    heard = made.decode(codes)[: len(at_16k)]
    reference = estoi.prepare(at_16k)
    assert reference is not None
    assert estoi.score(reference, heard) > 0.7


def two_blocks(media: Path, before: int, after: int) -> tuple[Any, list[listen.Block]]:
    """13 s of speech, cut as a master is."""
    sound = excerpt(media / "speech" / "resemblyzer" / "1069-133699-0000.flac", 0, 13)
    cut = listen.BLOCK
    first = listen.Block(sound[: cut + after], 0, cut, 0)
    return sound, [first, listen.Block(sound[cut - before :], before, len(sound) - cut, cut)]


def test_lyra_in_the_stage(analyzed: Packed, networks: Path) -> None:
    made = analyzed.run("tokenize", tokenize__audio=f"lyra-4:{networks}", tokenize__voice=False)
    (codes,) = made.audio
    assert (codes.name, codes.rate_hz, codes.levels, codes.vocabulary) == ("lyra-4@3", 50.0, 4, 16)
    assert codes.decodes
    symbols = array(analyzed, codes)
    assert symbols.shape == (-(-analyzed.get("clean").samples // 960), 4)
    assert symbols.max() < 16
    assert made.voice == {}


@pytest.fixture(scope="module", params=["encodec", "mimi"])
def tiny(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """A codec of random weights, as transformers writes them."""
    try:
        import torch
        import transformers
    except ImportError:
        missing("transformers")
    torch.manual_seed(1)
    small: dict[str, Any] = {"num_filters": 4, "codebook_size": 64, "codebook_dim": 16}
    if request.param == "encodec":
        model: Any = transformers.EncodecModel(transformers.EncodecConfig(hidden_size=16, num_lstm_layers=1, **small))
        layers = list(model.quantizer.layers)
    else:
        more = {"num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "head_dim": 16}
        more |= {"intermediate_size": 32, "vector_quantization_hidden_dimension": 16, "num_quantizers": 4}
        model = transformers.MimiModel(transformers.MimiConfig(hidden_size=32, upsample_groups=32, **more, **small))
        quantizer = model.quantizer
        for half in (quantizer.semantic_residual_vector_quantizer, quantizer.acoustic_residual_vector_quantizer):
            for layer in half.layers:
                layer.codebook.embed_sum.normal_(0, 0.01)
                layer.codebook.cluster_usage.fill_(1)
        layers = []
    for layer in layers:
        layer.codebook.embed.normal_(0, 0.01)
    folder = tmp_path_factory.mktemp(request.param)
    model.save_pretrained(folder)
    return request.param, folder


def test_codecs_of_transformers_give_codes_block_by_block_and_decode_them(tiny: tuple[str, Path], media: Path) -> None:
    made = codec.open_codec(*tiny, 2)
    sound, blocks = two_blocks(media, *made.context)
    parts = list(made.encode(blocks))
    assert [part.shape for part in parts] == [(int(12 * made.frames_per_s), 2), (int(np.ceil(made.frames_per_s)), 2)]
    codes = np.concatenate(parts)
    assert 0 <= codes.min() < codes.max() < made.vocabulary
    (whole,) = made.encode([listen.Block(sound, 0, len(sound), 0)])
    assert (whole[: len(parts[0])] == parts[0]).mean() > 0.95  # causal: only the edge of the resampler is ahead
    back = made.decode(codes)
    assert abs(len(back) / made.rate_hz - 13) < 0.2
    assert np.isfinite(back).all()


@pytest.mark.parametrize("tiny", ["mimi"], indirect=True)  # EnCodec goes the same road with six times the frames
def test_a_codec_of_transformers_in_the_stage(tiny: tuple[str, Path], analyzed: Packed) -> None:
    kind, folder = tiny
    (codes,) = analyzed.run("tokenize", tokenize__audio=f"{kind}-2:{folder}", tokenize__voice=False).audio
    assert (codes.name, codes.levels, codes.decodes) == (f"{kind}-2@{folder.name}", 2, True)
    assert array(analyzed, codes).shape == (int(np.ceil(analyzed.get("clean").duration_s * codes.rate_hz)), 2)


@pytest.mark.parametrize(
    ("name", "error", "why"),
    [
        ("units:nowhere", BadModel, "no codebook"),
        ("lyra-16:nowhere", BadConfig, "does not bring Lyra"),
        ("encodec:nowhere", BadConfig, "no folder nowhere"),
    ],
)
def test_what_is_named_and_not_there_is_an_error(analyzed: Packed, name: str, error: Any, why: str) -> None:
    with pytest.raises(error, match=why):
        analyzed.run("tokenize", tokenize__audio=name)


def test_more_levels_than_there_are(tiny: tuple[str, Path], networks: Path) -> None:
    with pytest.raises(BadConfig, match="46 levels, not 47"):
        codec.open_codec("lyra", networks, 47)
    with pytest.raises(BadConfig, match="levels, not 99"):
        codec.open_codec(*tiny, 99)
    with pytest.raises(BadConfig, match="holds"):
        codec.open_codec("mimi" if tiny[0] == "encodec" else "encodec", tiny[1], None)


@pytest.mark.parametrize("name", ["units", "units-7", "lyra", "lyra-0:x", "wav2vec:x", "units:"])
def test_slips_of_the_pen_are_told_before_the_work(name: str) -> None:
    with pytest.raises(ValueError, match="there are no audio tokens"):
        Options(audio=(name,))
