"""Audio and text towers."""
