"""The memory networks against loops over lists of numbers, and what an answer may depend on."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ntm_memory_skill.errors import InvalidArgument
from ntm_memory_skill.memnet.encoding import encode
from ntm_memory_skill.memnet.machine import Comparison, KeyValue, MemoryNetwork, build, read
from ntm_memory_skill.memnet.settings import NetworkSettings
from ntm_memory_skill.memnet.stories import EMPTY, Batch
from tests.memnet.by_hand import dot, encoded, hop, plus, times

V, D, CAPACITY = 11, 4, 6
EACH = [
    {"tying": tying, "encoding": encoding, "temporal": temporal, "hops": hops}
    for tying in ("adjacent", "layer-wise")
    for encoding, temporal, hops in (("bag", False, 1), ("position", True, 3), ("bag", True, 2), ("position", False, 2))
] + [{"hidden": 5}, {"hidden": 3, "tying": "layer-wise"}]


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    """A second thread makes small tensors many times slower."""
    torch.set_num_threads(1)


def network(seed: int = 0, **settings: Any) -> MemoryNetwork:
    """Return a tiny network in float64 with weights large enough for attention that is not flat."""
    sizes: dict[str, Any] = {"words": V, "dimension": D, "capacity": CAPACITY, "hops": 2, "spread": 0.8}
    net = build(NetworkSettings(**{**sizes, **settings}), seed).double().eval()
    rng = torch.Generator().manual_seed(seed)
    for name, weights in net.named_parameters():
        if "down" in name:  # which begins as nothing
            torch.nn.init.normal_(weights, generator=rng)
    return net


def batch(*, pairs: bool = False) -> Batch:
    """Return three questions over 4, 1 and 3 memories; with pairs, values are other texts than keys."""
    texts = torch.tensor([[0, 0, 0], [2, 3, 4], [5, 6, 0], [7, 0, 0], [8, 2, 9], [4, 10, 0]])
    keys = torch.tensor([[3, 1, 2, 1], [5, 0, 0, 0], [4, 2, 1, 0]])
    values = torch.tensor([[2, 4, 4, 5], [1, 0, 0, 0], [3, 5, 1, 0]]) if pairs else keys
    questions = torch.tensor([[2, 7, 0], [9, 0, 0], [3, 4, 10]])
    return Batch(texts, keys, values, keys > 0, questions, torch.tensor([2, 3, 4]))


def told(rows: Tensor, texts: Tensor) -> list[list[int]]:
    """Return memories as lists of words, without the places where there is none."""
    return [[word for word in texts[row].tolist() if word != EMPTY] for row in rows.tolist() if row]


def answered_by_hand(net: MemoryNetwork, asked: Batch, number: int, *, linear: bool = False) -> tuple[Any, Any]:
    """Return the scores of the words and where each hop read, for one question."""
    settings = net.settings
    adjacent, position = settings.tying == "adjacent", settings.encoding == "position"
    tables, ages = net.embeddings.permute(1, 0, 2).tolist(), net.ages.permute(1, 0, 2).tolist()
    question = [word for word in asked.questions[number].tolist() if word != EMPTY]
    query, weights = encoded(question, tables[0 if adjacent else 2], position=position), []
    for k in range(settings.hops):
        a, c = (k, k + 1) if adjacent else (0, 1)
        both = []
        for which in (a, c):
            texts = told(asked.keys[number], asked.texts)
            vectors = [encoded(text, tables[which], position=position) for text in texts]
            if settings.temporal:
                vectors = [plus(vector, ages[which][age]) for age, vector in enumerate(vectors)]
            both.append(vectors)
        found, where = hop(both[0], both[1], query, linear=linear)
        compared = compared_by_hand(net, k, query, found)
        query = plus(query if adjacent else times(net.between.weight.tolist(), query), found)  # type: ignore[union-attr, operator] # a module's attribute
        query = plus(query, compared)
        weights.append(where)
    return [dot(row, query) for row in tables[-1]], weights


def compared_by_hand(net: MemoryNetwork, k: int, asked: list[float], found: list[float]) -> list[float]:
    """Return V ReLU(U [u; o; u ∘ o] + b), or 0 without such a layer."""
    if not net.settings.hidden:
        return [0.0] * len(asked)
    both = [*asked, *found, *(a * b for a, b in zip(asked, found, strict=True))]
    layer = net.comparisons[k]
    assert isinstance(layer, Comparison)
    up, down = layer.up, layer.down
    return times(down.weight.tolist(), [max(0.0, x) for x in plus(times(up.weight.tolist(), both), up.bias.tolist())])


def key_value_by_hand(net: KeyValue, asked: Batch, number: int) -> list[float]:
    """Return the scores of the words for one question over key-value memories."""
    position = net.settings.encoding == "position"
    a, b = net.embeddings.permute(1, 0, 2).tolist()
    ages = net.ages.permute(1, 0, 2).tolist()
    keys = [encoded(text, a, position=position) for text in told(asked.keys[number], asked.texts)]
    values = [encoded(text, a, position=position) for text in told(asked.values[number], asked.texts)]
    if net.settings.temporal:
        keys = [plus(key, ages[0][age]) for age, key in enumerate(keys)]
        values = [plus(value, ages[1][age]) for age, value in enumerate(values)]
    query = encoded([w for w in asked.questions[number].tolist() if w != EMPTY], a, position=position)
    for k, r in enumerate(net.between):
        found = hop(keys, values, query)[0]
        compared = compared_by_hand(net, k, query, found)
        query = plus(times(r.weight.tolist(), plus(query, found)), compared)  # type: ignore[operator] # a module's attribute
    return [dot(row, query) for row in b]


class TestEncoding:
    """m = Σ_j l_j · A x_j."""

    @pytest.mark.parametrize("position", [True, False])
    def test_a_text_is_the_weighed_sum_of_a_loop(self, position: bool) -> None:
        """In each of two embeddings, for texts of one to three words; a text without words is 0."""
        table = torch.randn(V, 2, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        texts = batch().texts
        found = encode(texts, table, position=position)
        for text, vectors in zip(texts.tolist(), found, strict=True):
            words = [word for word in text if word != EMPTY]
            for which in range(2):
                expected = encoded(words, table[:, which].tolist(), position=position)
                torch.testing.assert_close(vectors[which].tolist(), expected)

    def test_the_order_of_words_counts_with_positions_alone(self) -> None:
        """A bag is the same either way round."""
        table = torch.randn(V, 1, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        there, back = torch.tensor([[2, 3, 4]]), torch.tensor([[4, 3, 2]])
        torch.testing.assert_close(encode(there, table, position=False), encode(back, table, position=False))
        assert not torch.allclose(encode(there, table, position=True), encode(back, table, position=True))

    def test_padding_changes_nothing(self) -> None:
        """J is the number of words, not of places."""
        table = torch.randn(V, 1, D, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
        short, padded = torch.tensor([[2, 3]]), torch.tensor([[2, 3, 0, 0, 0]])
        torch.testing.assert_close(encode(short, table, position=True), encode(padded, table, position=True))


class TestRead:
    """o = Σ_i softmax(uᵀ m_i) c_i."""

    def test_one_hop_is_attention_by_hand(self) -> None:
        """Scores ln 1, ln 2 and ln 5 are weights of 1/8, 2/8 and 5/8."""
        keys = torch.tensor([[[0.0, 1.0], [math.log(2), 0.0], [math.log(5), 7.0]]])
        values = torch.tensor([[[8.0, 0.0], [0.0, 8.0], [16.0, 8.0]]])
        found, weights = read(keys, values, torch.tensor([[1.0, 0.0]]), torch.ones(1, 3, dtype=torch.bool))
        torch.testing.assert_close(weights, torch.tensor([[0.125, 0.25, 0.625]]))
        torch.testing.assert_close(found, torch.tensor([[11.0, 7.0]]))

    @pytest.mark.parametrize("linear", [True, False])
    def test_a_memory_that_is_not_there_weighs_nothing(self, linear: bool) -> None:
        """However well it fits."""
        keys, values = torch.full((1, 3, 2), 9.0), torch.ones(1, 3, 2)
        present = torch.tensor([[True, False, True]])
        _, weights = read(keys, values, torch.ones(1, 2), present, linear=linear)
        assert weights[0, 1] == 0
        assert (weights[0, [0, 2]] > 0).all()

    def test_the_linear_start_has_no_softmax(self) -> None:
        """Weights are the scores themselves, negative ones too."""
        keys = torch.tensor([[[3.0], [-2.0]]])
        _, weights = read(keys, keys, torch.tensor([[1.0]]), torch.ones(1, 2, dtype=torch.bool), linear=True)
        assert weights.tolist() == [[3.0, -2.0]]


class TestEndToEnd:
    """u ← u + Σ_i softmax(uᵀ m_i) c_i, with both ways of tying."""

    @pytest.mark.parametrize("linear", [False, True])
    @pytest.mark.parametrize("settings", EACH)
    def test_the_network_is_that_of_a_loop(self, settings: dict[str, Any], linear: bool) -> None:
        """Scores and attention of each question of a batch with differing numbers of memories."""
        net, asked = network(**settings), batch()
        scores, weights = net(asked, linear=linear)
        for number in range(len(asked.keys)):
            expected_scores, expected_weights = answered_by_hand(net, asked, number, linear=linear)
            torch.testing.assert_close(scores[number].tolist(), expected_scores)
            count = int(asked.present[number].sum())
            torch.testing.assert_close(weights[number, :, :count].tolist(), expected_weights)
            assert (weights[number, :, count:] == 0).all()

    @pytest.mark.parametrize(("tying", "count"), [("adjacent", 4), ("layer-wise", 4)])
    def test_tying_shares_embeddings(self, tying: str, count: int) -> None:
        """Adjacent: one more than there are hops; layer-wise: four, however many hops, and one H."""
        sizes: dict[str, Any] = {"words": V, "dimension": D, "capacity": CAPACITY, "hops": 3, "tying": tying}
        net = build(NetworkSettings(**sizes))
        assert net.embeddings.shape == (V, count, D)
        more = build(NetworkSettings(**{**sizes, "hops": 5}))
        grown = sum(p.numel() for p in more.parameters()) - sum(p.numel() for p in net.parameters())
        assert grown == (2 * (V + CAPACITY) * D if tying == "adjacent" else 0)

    def test_ages_tell_equal_memories_apart(self) -> None:
        """Without temporal encoding two memories of one text are read alike."""
        keys = torch.tensor([[1, 1, 2, 0]] * 3)
        asked = batch()._replace(keys=keys, present=keys > 0)
        for temporal in (True, False):
            weights = network(temporal=temporal)(asked).weights[:, 0]
            assert torch.equal(weights[:, 0], weights[:, 1]) is not temporal

    def test_what_is_asked_alone_decides_a_batch_of_one(self) -> None:
        """A question's answer is the same whichever others stand beside it."""
        net, asked = network(), batch()
        together = net(asked).scores
        for number in range(3):
            alone = asked._replace(
                **{name: getattr(asked, name)[number : number + 1] for name in asked._fields if name != "texts"}
            )
            torch.testing.assert_close(net(alone).scores[0], together[number])


class TestKeyValue:
    """Keys are addressed, values are read, q ← R_j (q + o)."""

    @pytest.mark.parametrize("settings", [{}, {"encoding": "bag", "temporal": False}, {"hops": 3}, {"hidden": 5}])
    def test_the_network_is_that_of_a_loop(self, settings: dict[str, Any]) -> None:
        """For keys and values that are different texts."""
        net, asked = network(kind="key-value", **settings), batch(pairs=True)
        assert isinstance(net, KeyValue)
        for number, scores in enumerate(net(asked).scores):
            torch.testing.assert_close(scores.tolist(), key_value_by_hand(net, asked, number))

    def test_where_it_reads_is_decided_by_keys_alone(self) -> None:
        """Other values give other answers, read at the same places in the first hop."""
        net = network(kind="key-value")
        one, other = net(batch()), net(batch(pairs=True))
        torch.testing.assert_close(one.weights[:, 0], other.weights[:, 0])
        assert not torch.allclose(one.scores[0], other.scores[0])


class TestNoise:
    """What is random is of training alone."""

    @pytest.mark.parametrize("kind", ["end-to-end", "key-value"])
    def test_evaluation_is_without_noise(self, kind: str) -> None:
        """With random numbers at hand and without, with much noise and with none."""
        noisy, plain = network(kind=kind, noise=1.0, dropout=0.9, hidden=5), network(kind=kind, noise=0.0, hidden=5)
        expected = plain(batch()).scores
        assert torch.equal(noisy(batch(), rng=torch.Generator().manual_seed(0)).scores, expected)
        assert torch.equal(noisy(batch()).scores, expected)

    @pytest.mark.parametrize("settings", [{"noise": 0.5, "dropout": 0.0}, {"noise": 0.0, "dropout": 0.5, "hidden": 40}])
    def test_training_draws_noise_by_its_seed(self, settings: dict[str, Any]) -> None:
        """The same seed the same scores; not those of evaluation."""
        net = network(**settings)
        expected = net(batch()).scores
        net.train()
        first, again = (net(batch(), rng=torch.Generator().manual_seed(3)).scores for _ in range(2))
        assert torch.equal(first, again)
        assert not torch.allclose(first, expected)

    def test_empty_memories_beyond_the_capacity_are_left_out(self) -> None:
        """A question that has as many memories as there is room for can be learnt from with noise."""
        net = network(noise=1.0, capacity=4).train()
        assert net(batch(), rng=torch.Generator().manual_seed(0)).weights.shape[2] == 4


class TestBuild:
    """A network from its settings."""

    @pytest.mark.parametrize("kind", ["end-to-end", "key-value"])
    def test_seeds_repeat(self, kind: str) -> None:
        """The same seed gives the same weights, another one others, and nothing else is drawn from."""
        before = torch.random.get_rng_state()
        first, again, other = network(1, kind=kind), network(1, kind=kind), network(2, kind=kind)
        assert torch.equal(first.embeddings, again.embeddings)
        assert not torch.equal(first.embeddings, other.embeddings)
        assert torch.equal(torch.random.get_rng_state(), before)

    def test_a_comparison_begins_as_nothing(self) -> None:
        """With hidden units, the first answers are those without."""
        sizes: dict[str, Any] = {"words": V, "dimension": D, "capacity": CAPACITY}
        plain, hidden = (build(NetworkSettings(**sizes, hidden=units)).eval() for units in (0, 7))
        assert torch.equal(plain(batch()).scores, hidden(batch()).scores)

    def test_ages_near_each_other_begin_alike(self) -> None:
        """The nearer the more, at every age; each number is about as large as those of words."""
        ages = build(NetworkSettings(words=V, dimension=400, capacity=64, spread=0.1)).ages[:, 0]
        likeness = torch.nn.functional.cosine_similarity(ages[:, None], ages[None], dim=2)
        near, far = (torch.diagonal(likeness, offset) for offset in (1, 30))
        assert near.min() > far.max()
        assert ages.std().item() == pytest.approx(0.1, rel=0.1)

    @pytest.mark.parametrize("kind", ["end-to-end", "key-value"])
    @pytest.mark.parametrize("tying", ["adjacent", "layer-wise"])
    @pytest.mark.parametrize("hidden", [0, 3])
    @pytest.mark.parametrize("linear", [True, False])
    def test_gradients_are_those_of_differences(self, kind: str, tying: str, linear: bool, hidden: int) -> None:
        """To every weight, in float64."""
        net = network(kind=kind, tying=tying, hidden=hidden)
        names, weights = zip(*((name, p.detach().requires_grad_()) for name, p in net.named_parameters()), strict=True)

        def scores(*values: Tensor) -> Tensor:
            found: Tensor = torch.func.functional_call(
                net, dict(zip(names, values, strict=True)), (batch(pairs=True),), {"linear": linear}
            ).scores
            return found

        assert torch.autograd.gradcheck(scores, weights)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"kind": "hopfield"},
            {"tying": "none"},
            {"encoding": "order"},
            {"words": 2},
            {"words": True},
            {"dimension": 0},
            {"hops": 0},
            {"hops": 1.5},
            {"capacity": 1 << 21},
            {"hidden": -1},
            {"temporal": 1},
            {"noise": -0.1},
            {"noise": math.nan},
            {"dropout": 1.0},
            {"spread": 0.0},
        ],
    )
    def test_settings_out_of_range_are_refused(self, wrong: dict[str, Any]) -> None:
        """Each by itself."""
        with pytest.raises(InvalidArgument):
            NetworkSettings(**{"words": V, **wrong})

    def test_all_that_is_wrong_is_said_at_once(self) -> None:
        """Three faults are three parts of one message."""
        with pytest.raises(InvalidArgument) as caught:
            replace(NetworkSettings(words=V), hops=0, noise=2, kind="x")
        assert len(caught.value.message.split("; ")) == 3
