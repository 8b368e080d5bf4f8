"""The pages of SLAs."""
