"""Recipes: which method each step of a layer's chain uses, chosen by kind or by the user."""
