"""What the scores are used for, a sub-package a concept: chapters and the command line import from these.

pairs        pairs of images of known order, and how often a score orders them so
opinion      opinions of people, real and simulated, and agreement with them
folders      scoring the images of a folder, comparing folders
snapshots    the study that most chapters share: a GAN's images along its training
giqa         GIQA's benchmark, sweeps and learned scores
generators   judging generators; training them with a score
scoregan     a score of the batch as a second objective
attgf        databases of faces, families left out, real opinions
gman         several discriminators, and the released models

They stand in ranks as the library does: pairs, opinion and folders are lowest, snapshots above them,
then giqa, generators and scoregan, then attgf and gman. ``planned_trainings`` knows them all.
"""

__all__: list[str] = []
