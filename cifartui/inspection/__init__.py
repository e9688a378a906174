"""Looking into a network: what its layers make of a picture, and how a kernel walks over it."""
