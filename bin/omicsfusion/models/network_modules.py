"""Which module holds which family of networks."""

NETWORKS = {
    "early": "omicsfusion.models.families.early",
    "fused": "omicsfusion.models.families.fused",
    "late": "omicsfusion.models.families.late",
    "attention": "omicsfusion.models.families.attention",
    "tensor": "omicsfusion.models.families.tensor",
    "autoencoder": "omicsfusion.models.families.autoencoder",
    "vae": "omicsfusion.models.families.vae",
    "pathway": "omicsfusion.models.families.pathway",
    "cnn": "omicsfusion.models.families.cnn",
    "graph": "omicsfusion.models.families.graph",
}

JOINT = frozenset(NETWORKS) - {"late"}
"""Families whose network predicts several targets together; all others fit each by itself."""
