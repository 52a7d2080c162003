"""Questions asked of all records at once: across models, people, regions, stages and layers."""
