"""The pathway network: gene sets as tokens, a transformer over them, one head.

::

    x_rna ──┬─► genes of set 1 ──► token ──┐
    x_cnv ──┼─► genes of set 2 ──► token ──┤
    x_…   ──┼─► …                          ├──► transformer ──► attention ──► head ──┐
            └─► genes in no set,           │    block(s)        pooling              │
                layer by layer ──► token ──┘                                         ├──► outputs
    x_rna, x_cnv, x_… ──► linear (wide path) ────────────────────────────────────────┘

The token of a gene set is a linear map of the values of its genes in all layers, with weights of
its own for each gene and layer, plus what is learnt of the set itself. Networks wired by gene sets:
Elmarakeby et al., Nature 598, 2021 (P-NET); a transformer over tokens of gene sets: Jaume et al.,
CVPR 2024 (SurvPath). The features of a layer that are in no set share one token, so that nothing
measured is lost. A token takes no part where the sample lacks every layer that feeds it; a layer
that a sample lacks takes part in nothing.

Which sets: ``set_choice``; anew in each scope, by the names of its features.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from omicsfusion.models.backend import Tensor, keras
from omicsfusion.models.cohort import GroupReader
from omicsfusion.models.columns import PartEncoder
from omicsfusion.models.family import FusionNetwork, masked
from omicsfusion.models.fit import Fit
from omicsfusion.models.layers import MemberDense, MemberLayer, register
from omicsfusion.models.network import MEMBERS_PER_CHUNK, train_networks
from omicsfusion.models.random_bits import Draw
from omicsfusion.models.random_layers import MemberDropout, OmicsDropout
from omicsfusion.models.read_out import ReadOut
from omicsfusion.models.request import MissingKnowledgeError, TrainingRequest
from omicsfusion.models.set_choice import ChosenSets, choose_sets
from omicsfusion.models.set_dense import BLOCK, SetDense, blocks_needed
from omicsfusion.models.tokens import AttentionPool, TokenBlock
from omicsfusion.tables.gene_sets import MAX_SIZE, MIN_SIZE, GeneSets, read_gene_sets

ops = keras.ops

WIDTH = 32
HEADS = 2
DEPTH = 1
QUERIES = 4

MEMORY = 2 << 30
"""Bytes that the tensors of all members may take together, about."""

LIVE_COPIES = 6
"""How many tensors of the largest size are held at once in training."""

ROWS_AT_ONCE = 256
"""Samples of the largest batch, and of what is predicted at once."""

Choose = Callable[[Mapping[str, Sequence[str]]], ChosenSets]


def train(request: TrainingRequest, reader: GroupReader) -> list[Fit]:
    """Train the pathway network on every scope of a group.

    Raises
    ------
    GmtError, MissingKnowledgeError
        When gene sets cannot be read, are not given, or have too few genes of a scope.
    """
    if not request.gene_sets:
        raise MissingKnowledgeError(
            f"Model {request.spec.name!r} reads gene sets: name GMT files with --gene_sets."
        )
    files = read_gene_sets(request.gene_sets)
    sets = {f"{file}: {name}": genes for file in files for name, genes in files[file].items()}
    most_sets, most_blocks = 0, dict.fromkeys(sorted(request.spec.layers), 1)
    for scope in reader.scopes:
        features = reader.features(scope, request.spec.layers)
        chosen = choose_sets(features, sets)
        if not chosen.names:
            raise MissingKnowledgeError(_too_few_genes(scope.key, features, files))
        most_sets = max(most_sets, len(chosen.names))
        for name, columns in chosen.columns.items():
            most_blocks[name] = max(most_blocks[name], blocks_needed(columns))
    build = partial(
        PathwayNetwork, sets=most_sets, blocks=most_blocks, choose=partial(choose_sets, sets=sets)
    )
    rows = max(ROWS_AT_ONCE, reader.largest("stop"))
    cells = HEADS * (most_sets + len(most_blocks)) ** 2 + BLOCK * sum(most_blocks.values())
    fit_in = MEMORY // (4 * LIVE_COPIES * rows * cells)
    at_once = min(MEMBERS_PER_CHUNK, max(request.ensemble, fit_in))
    return train_networks(build, request, reader, at_once)


def _too_few_genes(
    scope: str, features: Mapping[str, Sequence[str]], files: Mapping[str, GeneSets]
) -> str:
    """Say that no set can be used, with names of both sides."""
    layers = "; ".join(f"{name}: {', '.join(names[:3])}" for name, names in features.items())
    genes = sorted(next(iter(next(iter(files.values())).values())))[:3]
    return (
        f"No gene set of {', '.join(files)} has {MIN_SIZE} to {MAX_SIZE} genes among the features "
        f"that preprocessing kept in scope {scope}. Features ({layers}) and genes of sets "
        f"({', '.join(genes)}) must have the same names: give gene sets with the names of the "
        f"features, or keep more features."
    )


@register
class TokenNames(MemberLayer):
    """What tells tokens apart: a vector learnt for each, and which omics layers feed it.

    Parameters
    ----------
    tokens, layers, width
        How many tokens and omics layers there are; width of a token.
    """

    def __init__(self, tokens: int, layers: int, width: int, members: int, **kwargs: Any) -> None:
        super().__init__(members, **kwargs)
        self.sizes = {"tokens": tokens, "layers": layers, "width": width}

    def build(self, *shapes: Any) -> None:
        tokens, layers, width = self.sizes.values()
        self.kernel = self.add_member_weight("kernel", (tokens, width), "zeros")
        self.feeds = self.add_member_weight("feeds", (tokens, layers), "zeros", trainable=False)
        self.built = True

    def call(self, tokens: Tensor, present: Tensor) -> tuple[Tensor, Tensor]:
        """Return the tokens with their vectors, and which of them a sample has."""
        here = ops.einsum("mbl,mtl->mbt", present, self.feeds) > 0
        return tokens + self.kernel[:, None, :, :], here

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), **self.sizes}


@register
class PathwayNetwork(FusionNetwork):
    """The figure above.

    Parameters
    ----------
    sets
        Gene sets that a member has, at most.
    blocks
        Omics layer -> blocks of columns (``SetDense``) that a member has, at most.
    choose
        Chooses a member's sets by its features. It is not saved: what it chose is.
    width
        Of a token.
    heads, depth
        Of the attention; transformer blocks.
    queries
        Of the attention that pools the tokens.
    """

    family = "pathway"

    def __init__(
        self,
        widths: Mapping[str, int],
        units: int,
        members: int,
        sets: int,
        blocks: Mapping[str, int],
        choose: Choose | None = None,
        width: int = WIDTH,
        heads: int = HEADS,
        depth: int = DEPTH,
        queries: int = QUERIES,
        **kwargs: Any,
    ) -> None:
        super().__init__(widths, units, members, **kwargs)
        self.choose = choose
        self.sets = sets
        self.blocks = dict(sorted(blocks.items()))
        self.structure = {"width": width, "heads": heads, "depth": depth, "queries": queries}
        self.omics_dropout = OmicsDropout("omics_dropout", members, place=0, name="omics_dropout")
        self.dropout = MemberDropout("hidden_dropout", members, place=1, name="dropout")
        self.input_dropout = [
            MemberDropout("input_dropout", members, place=2 + 2 * i, name=f"input_dropout_{i}")
            for i in range(len(widths))
        ]
        self.of_sets = [
            SetDense(width, members, sets, n, name=f"sets_{i}")
            for i, n in enumerate(self.blocks.values())
        ]
        self.encoders = [
            PartEncoder(width, members, place=3 + 2 * i, name=f"encoder_{i}")
            for i in range(len(widths))
        ]
        self.wide = [
            MemberDense(units, members, start="zeros", name=f"wide_{i}") for i in range(len(widths))
        ]
        # The tokens: one for each omics layer, of its features in no set; then those of the sets.
        self.names = TokenNames(len(widths) + sets, len(widths), width, members, name="names")
        self.transformer = [
            TokenBlock(width, heads, members, name=f"block_{i}") for i in range(depth)
        ]
        self.pool = AttentionPool(queries, members, name="pool")
        self.head = ReadOut(units, members, name="head")

    def build(self, *shapes: Any) -> None:
        width, queries = self.structure["width"], self.structure["queries"]
        for i, columns in enumerate(self.widths.values()):
            for layer in (self.of_sets[i], self.encoders[i], self.wide[i]):
                layer.build((self.members, None, columns))
        tokens = (self.members, None, len(self.widths) + self.sets, width)
        for layer in (self.names, *self.transformer, self.pool):
            layer.build(tokens)
        self.head.build((self.members, None, queries * width))
        self.built = True

    @property
    def readers(self) -> dict[str, tuple[MemberDense, ...]]:
        """The dense layers that read each omics layer."""
        return {
            name: (self.of_sets[i], self.encoders[i].dense, self.wide[i])
            for i, name in enumerate(self.widths)
        }

    def known(self, features: Mapping[str, Sequence[str]]) -> list[tuple[Any, np.ndarray]]:
        if self.choose is None:
            raise ValueError("A network that was read from a file has its sets in its weights.")
        chosen = self.choose(features)
        pairs = super().known(features)
        feeds = np.zeros(self.names.feeds.shape[1:], bool)
        for i, name in enumerate(self.widths):
            columns = chosen.columns[name]
            alone = chosen.in_none(name, len(features[name]))
            pairs += [*self.of_sets[i].known(columns), *self.encoders[i].known(alone)]
            feeds[i, i] = alone.any()
            feeds[len(self.widths) :, i][: len(columns)] = [len(of_set) > 0 for of_set in columns]
        return [*pairs, (self.names.feeds, feeds)]

    def call(self, x: Mapping[str, Tensor], present: Tensor, draw: Draw | None = None) -> Tensor:
        """Compute the outputs, members x batch x units (see ``FusionNetwork``)."""
        present = self.omics_dropout(present, draw)
        of_sets, of_layers, wide = [], [], []
        for i, name in enumerate(self.widths):
            here = present[..., i : i + 1]
            seen = self.input_dropout[i](masked(x[name], here), draw)
            of_sets.append(self.of_sets[i](seen))
            of_layers.append(self.encoders[i](seen, draw))
            wide.append(self.wide[i](seen) * here)
        tokens = ops.concatenate([ops.stack(of_layers, axis=2), sum(of_sets)], axis=2)
        tokens, here = self.names(tokens, present)
        for block in self.transformer:
            tokens = block(tokens, here)
        return self.head(self.dropout(self.pool(tokens, here), draw), draw) + sum(wide)

    def get_config(self) -> dict[str, Any]:
        config = {**super().get_config(), "sets": self.sets, "blocks": self.blocks}
        return {**config, **self.structure}
