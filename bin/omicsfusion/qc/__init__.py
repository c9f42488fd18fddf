"""Quality control before anything is learnt: what tables and samples look like; it only flags."""
