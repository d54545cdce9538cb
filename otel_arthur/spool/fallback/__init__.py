"""The spool where its disk fails: memory takes the rows until the disk works again."""
