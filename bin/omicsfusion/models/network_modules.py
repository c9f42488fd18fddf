"""Which module holds which family of networks."""

NETWORKS = {
    "fused": "omicsfusion.models.families.fused",
}
