"""Revisions, oldest first: v1_traces, v2_parameters, v3_priorities, v4_claims, v5_model_versions, v6_users, v7_origins, v8_features,
v9_aliases, v10_principals."""
