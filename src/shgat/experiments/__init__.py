"""Is a ranker better, before it serves? Protocols that train and measure, counterfactual estimates, A/B tests, and baselines."""
