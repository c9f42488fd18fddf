"""What can be set in the training of any network; members of one network may differ in it.

The defaults are the same for every cohort. They serve whoever tunes nothing.
"""

from collections.abc import Mapping

DEFAULTS: Mapping[str, float] = {
    # Of AdamW.
    "learning_rate": 1e-2,
    "weight_decay": 0.1,
    # Weight of the sum of the absolute kernels that read the features.
    "l1": 0.0,
    # Shares of features, hidden units and omics layers that are hidden in training.
    "input_dropout": 0.3,
    "hidden_dropout": 0.3,
    "omics_dropout": 0.2,
    # Standard deviation of noise on the features, in that of a scaled feature.
    "input_noise": 0.0,
    # Classes: share of the truth that is spread over all classes; exponent of the focal loss.
    "label_smoothing": 0.0,
    "focal": 0.0,
    # Mixup: a of Beta(a, a). Not for Cox's loss, which compares samples.
    "mixup": 0.0,
}
