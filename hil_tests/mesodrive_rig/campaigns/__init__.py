"""Campaigns: the same question asked very many times, with a seed and a result file."""
