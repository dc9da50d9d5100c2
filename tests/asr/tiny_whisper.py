"""Writes a Whisper of 4 MB that runs in faster-whisper: real architecture, genuine tokenizer, made-up weights.

Nothing is learnt in it. Where the decoder stands decides what comes next: its position embeddings are the embeddings of
the tokens that it is to say, so it "hears" `says` in whatever sound it is given, in `language`. All that surrounds the
weights is as in a downloaded model: 51,865 tokens, 99 languages, timestamps, cross-attention for word times, beams,
batches, int8. Neither torch nor transformers nor a network is needed; it takes about three seconds.

    python tests/asr/tiny_whisper.py FOLDER ["what it says"] [language]
"""

from __future__ import annotations

import json
import lzma
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

#: The 50,257 byte sequences of OpenAI's multilingual tokenizer in the order of their ids (whisper/assets/
#: multilingual.tiktoken, MIT licence), each behind its length.
VOCABULARY = Path(__file__).with_name("whisper_vocabulary.xz")

_CODES = (
    "en zh de es ru ko fr ja pt tr pl ca nl ar sv it id hi fi vi he uk el ms cs ro da hu ta no th ur hr bg lt "
    "la mi ml cy sk te fa lv bn sr az sl kn et mk br eu is hy ne mn bs kk sq sw gl mr pa si km sn yo so af oc "
    "ka be tg sd gu am yi lo uz fo ht ps tk nn mt sa lb my bo tl mg as tt haw ln ha ba jw su"
)
#: Whisper's own order of languages; ids count from 50259.
LANGUAGES = _CODES.split()
SPECIAL = [
    "<|endoftext|>",
    "<|startoftranscript|>",
    *[f"<|{language}|>" for language in LANGUAGES],
    *("<|translate|>", "<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"),
]
TIMES = [f"<|{step * 0.02:.2f}|>" for step in range(1501)]
SPLIT = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""

WIDTH, HEADS, LONGEST = 32, 2, 448
#: Of the encoder and of the decoder; and how much wider the layer within is than what goes through it.
LAYERS, WIDER = 1, 2


def write(folder: Path, says: str = " Hola, esto es una clase de química.", language: str = "es") -> Path:
    """Writes the model and gives its folder back. Another file set than a pulled model's would not be a fair test."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = _tokenizer()
    tokenizer.save(str(folder / "tokenizer.json"))
    features = {"feature_size": 80, "sampling_rate": 16000, "hop_length": 160, "chunk_length": 30, "n_fft": 400}
    (folder / "preprocessor_config.json").write_text(json.dumps(features))
    script = ["<|startoftranscript|>", f"<|{language}|>", "<|transcribe|>", "<|notimestamps|>"]
    ids = [tokenizer.token_to_id(token) for token in script]
    said = [*tokenizer.encode(says, add_special_tokens=False).ids, tokenizer.token_to_id("<|endoftext|>")]
    # What follows each position of the prompt: the language, the task, a time (unless there shall be none), the text.
    _model(tokenizer, [ids[1], ids[2], tokenizer.token_to_id("<|0.00|>"), *said]).save(str(folder))
    return folder


def _tokenizer() -> Any:
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    letters = _letters()
    ranks = {token: rank for rank, token in enumerate(_vocabulary())}
    named = {"".join(letters[byte] for byte in token): rank for token, rank in ranks.items()}
    merges = [_halves(token, ranks) for token in ranks if len(token) > 1]
    written = [tuple("".join(letters[byte] for byte in half) for half in pair) for pair in merges]
    tokenizer = Tokenizer(models.BPE(vocab=named, merges=written))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(_regex(), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in SPECIAL])
    tokenizer.add_tokens([AddedToken(token, special=False) for token in TIMES])
    return tokenizer


def _regex() -> Any:
    from tokenizers import Regex

    return Regex(SPLIT)


def _vocabulary() -> list[bytes]:
    data, tokens, place = lzma.decompress(VOCABULARY.read_bytes()), [], 0
    while place < len(data):
        tokens.append(data[place + 1 : place + 1 + data[place]])
        place += 1 + data[place]
    return tokens


def _letters() -> dict[int, str]:
    """GPT-2's way of writing bytes as letters: printable ones stand for themselves, the others begin at U+0100."""
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in plain]
    return {byte: chr(byte) for byte in plain} | {byte: chr(0x100 + place) for place, byte in enumerate(others)}


def _halves(token: bytes, ranks: dict[bytes, int]) -> tuple[bytes, bytes]:
    """The two tokens whose merge made this one: merge as the tokenizer would, but only with what came before it."""
    parts = [token[place : place + 1] for place in range(len(token))]
    while len(parts) > 2:
        order = [ranks.get(a + b, len(ranks)) for a, b in pairwise(parts)]
        place = order.index(min(order))
        parts[place : place + 2] = [parts[place] + parts[place + 1]]
    return parts[0], parts[1]


def _model(tokenizer: Any, script: list[int]) -> Any:
    """The model's weights as a CTranslate2 specification: random and small, but for where the decoder stands."""
    from ctranslate2.specs import WhisperSpec

    noise = np.random.default_rng(16)
    size = tokenizer.get_vocab_size()
    spec = WhisperSpec(LAYERS, HEADS, LAYERS, HEADS)
    embeddings = noise.standard_normal((size, WIDTH)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    for part in (spec.encoder, spec.decoder):
        _fill(part, noise)
    spec.encoder.conv1.weight = _small(noise, WIDTH, 80, 3)
    spec.encoder.conv2.weight = _small(noise, WIDTH, WIDTH, 3)
    spec.encoder.position_encodings.encodings = noise.standard_normal((1500, WIDTH)).astype(np.float32)
    spec.decoder.embeddings.weight = embeddings * np.float32(0.1)
    positions = embeddings[(script + [script[-1]] * LONGEST)[:LONGEST]] * np.float32(10)
    spec.decoder.position_encodings.encodings = positions
    spec.decoder.projection.weight = embeddings * np.float32(4)
    spec.register_vocabulary([tokenizer.id_to_token(index) for index in range(size)])
    first_language = tokenizer.token_to_id("<|en|>")
    spec.config.suppress_ids, spec.config.suppress_ids_begin = [], [tokenizer.token_to_id("<|endoftext|>")]
    spec.config.lang_ids = list(range(first_language, first_language + len(LANGUAGES)))
    spec.config.alignment_heads = [[0, head] for head in range(HEADS)]
    spec.validate()
    spec.optimize(quantization="int8")
    return spec


def _fill(part: Any, noise: Any) -> None:
    part.layer_norm.gamma, part.layer_norm.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)
    for conv in (getattr(part, "conv1", None), getattr(part, "conv2", None)):
        if conv is not None:
            conv.bias = np.zeros(WIDTH, np.float32)
    for layer in part.layer:
        shapes = [(layer.self_attention, (3 * WIDTH, WIDTH))]
        if hasattr(layer, "attention"):
            shapes.append((layer.attention, (WIDTH, 2 * WIDTH, WIDTH)))
        for attention, outputs in shapes:
            for linear, rows in zip(attention.linear, outputs, strict=True):
                _linear(linear, rows, WIDTH, noise)
        _linear(layer.ffn.linear_0, WIDER * WIDTH, WIDTH, noise)
        _linear(layer.ffn.linear_1, WIDTH, WIDER * WIDTH, noise)
        for norm in [attention.layer_norm for attention, _ in shapes] + [layer.ffn.layer_norm]:
            norm.gamma, norm.beta = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)


def _linear(linear: Any, rows: int, columns: int, noise: Any) -> None:
    linear.weight, linear.bias = _small(noise, rows, columns), np.zeros(rows, np.float32)


def _small(noise: Any, *shape: int) -> Any:
    return (noise.standard_normal(shape) * 0.02).astype(np.float32)


if __name__ == "__main__":
    write(Path(sys.argv[1]), *sys.argv[2:])
