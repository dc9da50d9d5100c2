"""The split keeps speakers apart, whatever the folder holds."""

from __future__ import annotations

from collections import defaultdict

from hypothesis import given
from hypothesis import strategies as st

from chasqui.train.split import SHARES, Member, assign

NAMES = st.text("abcdefgh-0123456789", min_size=1, max_size=8)
MEMBERS = st.lists(
    st.builds(
        Member,
        NAMES,
        st.tuples(st.sampled_from(("a:es", "a:en", "b:es")), st.sampled_from(("es", "en")), st.just("speech")),
        st.floats(1, 300),
    ),
    min_size=1,
    max_size=40,
    unique_by=lambda member: member.group,
)


@given(MEMBERS, st.integers(0, 99))
def test_every_group_has_one_part_and_no_part_is_forgotten(members: list[Member], seed: int) -> None:
    parts = assign(members, seed)
    assert set(parts) == {member.group for member in members}
    assert len(set(parts.values())) == min(len(members), 3)
    if len(members) == 2:
        assert set(parts.values()) == {"fit", "test"}


@given(MEMBERS, st.integers(0, 99), st.randoms())
def test_the_order_of_the_files_does_not_matter(members: list[Member], seed: int, dice: object) -> None:
    shuffled = list(members)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert assign(shuffled, seed) == assign(members, seed)


@given(st.integers(20, 60), st.integers(0, 99))
def test_shares_are_kept_within_a_group_in_every_language(count: int, seed: int) -> None:
    members = [Member(f"{language}-{i}", (language, "speech"), 10.0) for language in ("es", "qu") for i in range(count)]
    parts = assign(members, seed)
    held: dict[tuple[str, str], int] = defaultdict(int)
    for member in members:
        held[member.strata[0], parts[member.group]] += 1
    for language in ("es", "qu"):
        for part, share in SHARES.items():
            assert abs(held[language, part] - share * count) <= 1.5


def test_another_seed_is_another_split() -> None:
    members = [Member(f"speaker-{i}", ("speech",), 10.0) for i in range(30)]
    assert assign(members, 1) != assign(members, 2)


def test_the_only_group_of_its_language_does_not_always_go_to_fit() -> None:
    members = [Member(f"lang-{i}", (f"lang-{i}", "speech"), 10.0) for i in range(20)]
    assert set(assign(members, 1).values()) == {"fit", "calibrate", "test"}
