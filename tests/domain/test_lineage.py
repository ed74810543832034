"""Properties of the map of lineage, and which names of several systems are one thing."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from agentops_graph.domain.component import Component
from agentops_graph.domain.lineage.chart import Chart, way_in_words
from agentops_graph.domain.lineage.drawing import drawn, watched
from agentops_graph.domain.lineage.fragment import Edge, Fragment, Node, together, usable
from agentops_graph.domain.lineage.names import parts_of

LETTERS = st.sampled_from("abcdefgh")
ORIGINS = st.sampled_from(["dbt", "openlineage", "mlflow"])


@st.composite
def fragments(draw):
    origin = draw(ORIGINS)
    pairs = draw(st.lists(st.tuples(LETTERS, LETTERS), max_size=14))
    kind = draw(st.sampled_from(["table", None]))
    nodes = {Node(origin, name, kind) for pair in pairs for name in pair}
    return Fragment(frozenset(nodes), frozenset(Edge(origin, a, b) for a, b in pairs))


def told(origin, *chains, kind="table", also=()):
    pairs = {pair for chain in chains for pair in itertools.pairwise(chain)}
    names = {name for chain in chains for name in chain}
    return Fragment(
        frozenset(Node(origin, name, kind, also) for name in names),
        frozenset(Edge(origin, a, b) for a, b in pairs),
    )


def reached(found):
    return {one.name: one.hops for one in found}


@given(st.lists(fragments(), max_size=4), st.randoms())
def test_fragments_laid_together_in_any_order_and_twice_give_one_map(pieces, random):
    shuffled = pieces + pieces[:2]
    random.shuffle(shuffled)
    assert drawn(together(shuffled)) == drawn(together(pieces))
    one, other = Fragment(), Fragment()
    for piece in pieces:
        one, other = one | piece, piece | other
    assert one == other == together(pieces)


@given(st.lists(fragments(), max_size=4), st.integers(1, 4), st.integers(1, 3))
def test_upstream_and_downstream_are_each_others_inverse_also_where_they_are_limited(
    pieces, max_hops, hub_over
):
    chart = drawn(together(pieces), max_hops=max_hops, hub_over=hub_over)
    for ways in ((Chart.upstream, Chart.downstream), (Chart.causes, Chart.effects)):
        up = {(one.name, n, one.hops) for n in chart.things for one in ways[0](chart, n)}
        down = {(n, one.name, one.hops) for n in chart.things for one in ways[1](chart, n)}
        assert up == down
    limited = {(n, one.name) for n in chart.things for one in chart.causes(n)}
    assert limited <= {(n, one.name) for n in chart.things for one in chart.upstream(n)}
    assert all(one.hops <= max_hops for n in chart.things for one in chart.causes(n))


@given(st.lists(fragments(), max_size=4))
def test_every_way_is_made_of_edges_and_as_long_as_the_distance(pieces):
    chart = drawn(together(pieces))
    for source in chart.things:
        below = reached(chart.downstream(source))
        for target in chart.things:
            way = chart.way(source, target)
            assert chart.distance(source, target) == (0 if source == target else below.get(target))
            assert all(pair in chart.told_by for pair in itertools.pairwise(way))


@given(st.lists(fragments(), max_size=4))
def test_walks_end_on_cycles_and_every_thing_in_one_is_in_a_cycle_that_is_told_or_meets_one(pieces):
    chart = drawn(together(pieces))
    for name in chart.things:
        names = [one.name for one in chart.upstream(name)]
        assert len(names) == len(set(names)) < len(chart.things)
        assert name not in names
    for cycle in chart.cycles:
        assert cycle[0] == cycle[-1]
        assert all(pair in chart.told_by for pair in itertools.pairwise(cycle))
    knotted = {
        n
        for n in chart.things
        if any(
            n in reached(chart.downstream(m))
            for m in reached(chart.downstream(n))
            if n in reached(chart.downstream(m))
        )
    }
    assert bool(knotted) == bool(chart.cycles)


def test_a_name_is_compared_by_its_parts_whoever_wrote_it():
    assert parts_of('"PROD"."Raw"."Orders"') == parts_of("prod.raw.orders")
    assert parts_of("fraud-detector") == parts_of("Fraud Detector") == ("fraud_detector",)
    assert parts_of("s3://lake/raw/orders.parquet")[-2:] == ("raw", "orders")
    assert parts_of("./:") == ()


def test_one_table_told_by_three_systems_is_one_thing():
    chart = drawn(
        told("dbt", ("model.shop.stg_orders", "model.shop.orders"))
        | Fragment(
            frozenset({Node("dbt", "model.shop.orders", "table", ('"prod"."dm"."orders"',))})
        )
        | told("openlineage", ("snowflake://acme/PROD.DM.ORDERS", "snowflake://acme/PROD.DM.F"))
        | told("mlflow", ("orders", "fraud"))
    )
    thing = chart.called("prod.dm.orders")
    assert thing.origins == ("dbt", "mlflow", "openlineage")
    assert chart.distance("model.shop.stg_orders", "fraud") == 2
    assert chart.doubts == ()


def test_a_name_that_may_be_two_things_is_said_and_joined_to_neither():
    chart = drawn(
        told("dbt", ("model.shop.orders", "x"), ("model.crm.orders", "y"))
        | told("mlflow", ("orders", "m"))
    )
    assert reached(chart.upstream("m")) == {"orders": 1}
    (doubt,) = chart.doubts
    assert doubt == "orders may be model.crm.orders or model.shop.orders; say which under `aliases`"


def test_an_alias_says_which_and_settles_the_doubt():
    components = {"orders": Component(name="orders", kind="pipeline")}
    pieces = watched(components) | told(
        "dbt", ("model.shop.orders", "x"), ("model.crm.orders", "y")
    )
    assert drawn(pieces, watched_names=components).doubts
    aliases = {"orders": ["model.crm.orders"]}
    chart = drawn(pieces, watched_names=components, aliases=aliases)
    assert reached(chart.downstream("orders")) == {"y": 1}


def test_an_alias_of_nothing_or_to_nothing_is_said():
    components = {"orders": Component(name="orders", kind="pipeline")}
    chart = drawn(watched(components), aliases={"orders": ["model.gone"], "who": ["orders"]})
    assert chart.doubts == (
        "aliases: nothing is called model.gone, which is to be orders",
        "aliases: nothing is called who",
    )


def test_an_alias_makes_no_component_of_another():
    components = {"a": Component(name="a"), "b": Component(name="b")}
    chart = drawn(watched(components), watched_names=components, aliases={"a": ["b"]})
    assert chart.doubts == ("aliases: b is watched itself and is not a",)
    assert set(chart.things) == {"a", "b"}


def test_a_watched_model_is_no_table_of_its_name_and_a_feed_may_be_one():
    components = {
        "fraud": Component(name="fraud"),
        "orders": Component(name="orders", kind="pipeline"),
    }
    chart = drawn(
        watched(components) | told("dbt", ("source.shop.raw.orders", "model.shop.fraud")),
        watched_names=components,
    )
    assert reached(chart.upstream("fraud")) == {}
    assert reached(chart.downstream("orders")) == {"model.shop.fraud": 1}
    assert chart.things["orders"].is_watched
    assert chart.things["orders"].kind == "pipeline"


def test_two_names_of_one_system_stay_two_things():
    chart = drawn(told("openlineage", ("pg://a/shop.orders", "pg://b/shop.orders")))
    assert len(chart.things) == 2
    assert chart.distance("pg://a/shop.orders", "pg://b/shop.orders") == 1


def test_what_half_the_company_reads_explains_nothing_beyond_itself():
    wide = [("calendar", "dim_date", f"m{number}") for number in range(6)]
    chart = drawn(told("dbt", *wide), hub_over=5)
    assert reached(chart.causes("m0")) == {"dim_date": 1}
    assert reached(chart.upstream("m0")) == {"dim_date": 1, "calendar": 2}
    assert reached(chart.effects("calendar")) == {"dim_date": 1}


def test_a_circle_is_told_with_its_way():
    chart = drawn(told("dbt", ("a", "b", "c", "a"), ("c", "d")))
    assert chart.cycles == (("a", "b", "c", "a"),)
    assert way_in_words(chart.way("a", "d")) == "a -> b -> c -> d"


def test_a_chain_of_ten_thousand_is_walked_to_its_end():
    names = tuple(f"t{number}" for number in range(10_000))
    chart = drawn(told("dbt", names))
    assert chart.distance(names[0], names[-1]) == 9_999
    assert len(chart.upstream(names[-1])) == 9_999


def test_a_name_that_can_not_be_shown_is_not_used():
    assert usable("a\x1b[2Jb") is None
    assert usable("a\u202eb") is None
    assert usable("x" * 501) is None
    assert usable("  a \n b ") == "a b"


def test_names_that_very_many_things_bear_join_nothing_and_are_said_once():
    names = [f"raw.or_de{'-' * n}rs" for n in range(1, 300)]
    many = [told("openlineage", (name, "raw.sink"), kind=None) for name in names]
    twin = told("dbt", ("raw.or_de_rs", "raw.sink"))
    chart = drawn(together([*many, twin]), watched_names=())
    assert [doubt for doubt in chart.doubts if "things are called" in doubt]
    assert len(chart.doubts) <= 2
