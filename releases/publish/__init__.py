"""The command ``smallarea publish``: a quarter's release, from the release file to the folder.

Start at `releases.publish.pipeline.publish`, which reads as the recipe.
"""
