"""What each named data set is, how large, under which licence, whom to cite, how it is had."""

from dataclasses import dataclass

from giqa_lib.checks import check_choice
from giqa_lib.data.toy_face_drawing import TOY_FACE_PARTS

__all__ = ["DatasetCard", "dataset_card", "dataset_names"]


@dataclass(frozen=True, kw_only=True)
class DatasetCard:
    """A data set's card.

    ``shape`` is (height, width, channels) as loaded, None where images differ; ``splits`` are
    those that ``load`` takes besides ``"all"``; ``access`` says how the data is had.
    """

    name: str
    description: str
    size: str
    images: int | None
    shape: tuple[int, int, int] | None
    licence: str
    citation: str
    access: str
    classes: tuple[str, ...] = ()
    splits: tuple[str, ...] = ()
    homepage: str | None = None


_CIFAR10 = (
    "airplane",
    "automobile",
    "bird",
    "cat",
    "deer",
    "dog",
    "frog",
    "horse",
    "ship",
    "truck",
)
_DIGITS = tuple("0123456789")
_FACE_PARTS = (
    "background",
    "skin",
    "nose",
    "eyeglasses",
    "left eye",
    "right eye",
    "left brow",
    "right brow",
    "left ear",
    "right ear",
    "mouth",
    "upper lip",
    "lower lip",
    "hair",
    "hat",
    "earring",
    "necklace",
    "neck",
    "clothing",
)
_TRAIN_TEST = ("train", "test")
_BY_FOLDER = "put its images, a zip or Parquet files at $GIQA_DATA/{name} (or {name}.zip)"
_RESEARCH = "non-commercial research only"

_CARDS = (
    DatasetCard(
        name="fashion-mnist",
        description="Product photographs of clothing in ten classes, grey, 28 x 28",
        size="70,000 images, 31 MB packed",
        images=70_000,
        shape=(28, 28, 1),
        classes=(
            "t-shirt/top",
            "trouser",
            "pullover",
            "dress",
            "coat",
            "sandal",
            "shirt",
            "sneaker",
            "bag",
            "ankle boot",
        ),
        splits=_TRAIN_TEST,
        licence="MIT",
        citation=(
            "Xiao, Rasul and Vollgraf, Fashion-MNIST: a novel image dataset for benchmarking "
            "machine learning algorithms, arXiv:1708.07747, 2017"
        ),
        access=(
            "'python -m giqa_lib.data fetch fashion-mnist' downloads it; or "
            "'apt-get install dataset-fashion-mnist' (Debian, Ubuntu); or put its four "
            "*-ubyte.gz files in $GIQA_DATA/fashion-mnist"
        ),
        homepage="https://github.com/zalandoresearch/fashion-mnist",
    ),
    DatasetCard(
        name="mnist",
        description="Handwritten digits, grey, 28 x 28",
        size="70,000 images, 12 MB packed",
        images=70_000,
        shape=(28, 28, 1),
        classes=_DIGITS,
        splits=_TRAIN_TEST,
        licence="CC BY-SA 3.0",
        citation=(
            "LeCun, Bottou, Bengio and Haffner, Gradient-based learning applied to document "
            "recognition, Proceedings of the IEEE 86, 1998"
        ),
        access=(
            "'python -m giqa_lib.data fetch mnist' downloads it; or put its four *-ubyte.gz files "
            "in $GIQA_DATA/mnist, or mnist.parquet in $GIQA_DATA"
        ),
        homepage="http://yann.lecun.com/exdb/mnist/",
    ),
    DatasetCard(
        name="cifar10",
        description=(
            "Photographs in ten classes, RGB, 32 x 32. The Parquet file holds them as JPEG of "
            "quality 75, not as the original pixels, and known near-duplicates link train and test"
        ),
        size="60,000 images, 170 MB packed, 18 MB as JPEG",
        images=60_000,
        shape=(32, 32, 3),
        classes=_CIFAR10,
        splits=_TRAIN_TEST,
        licence="none stated; the authors ask to be cited",
        citation="Krizhevsky, Learning multiple layers of features from tiny images, 2009",
        access=(
            "'python -m giqa_lib.data fetch cifar10' downloads it; or put its folder "
            "cifar-10-batches-py, or cifar10.parquet, in $GIQA_DATA"
        ),
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    DatasetCard(
        name="cifar100",
        description="Photographs in one hundred classes, RGB, 32 x 32",
        size="60,000 images, 169 MB packed",
        images=60_000,
        shape=(32, 32, 3),
        splits=_TRAIN_TEST,
        licence="none stated; the authors ask to be cited",
        citation="Krizhevsky, Learning multiple layers of features from tiny images, 2009",
        access=(
            "'python -m giqa_lib.data fetch cifar100' downloads it; or put its folder "
            "cifar-100-python in $GIQA_DATA"
        ),
        homepage="https://www.cs.toronto.edu/~kriz/cifar.html",
    ),
    DatasetCard(
        name="celebamask",
        description=(
            "CelebA-HQ faces, 256 x 256, with hand-made masks of 19 parts "
            "(images.column('mask'), the pixel value is the class)"
        ),
        size="1,000 images, 21 MB",
        images=1_000,
        shape=(256, 256, 3),
        classes=_FACE_PARTS,
        licence=_RESEARCH,
        citation=(
            "Lee, Liu, Wu and Luo, MaskGAN: towards diverse and interactive facial image "
            "manipulation, CVPR 2020; Karras, Aila, Laine and Lehtinen, Progressive growing of "
            "GANs, ICLR 2018; Liu, Luo, Wang and Tang, Deep learning face attributes in the "
            "wild, ICCV 2015"
        ),
        access="put celebamask.parquet in $GIQA_DATA",
        homepage="https://github.com/switchablenorms/CelebAMask-HQ",
    ),
    DatasetCard(
        name="faces64-human",
        description=(
            "Real CelebA crops, ProGAN and WGAN-GP faces, 64 x 64, with how often people took "
            "them for real. The real ones were stored as JPEG, the others as PNG: all are "
            "brought to one JPEG encoding (quality 95, 4:2:0) when loaded"
        ),
        size="2,600 images, 18 MB",
        images=2_600,
        shape=(64, 64, 3),
        licence=f"repository MIT; the faces {_RESEARCH}",
        citation=(
            "Kolchinski, Zhou, Zhao, Gordon and Ermon, Approximating human judgment of generated "
            "image quality, arXiv:1912.12121, 2019; Zhou et al., HYPE: a benchmark for human eye "
            "perceptual evaluation of generative models, NeurIPS 2019"
        ),
        access="put faces64_human.parquet in $GIQA_DATA",
        homepage="https://github.com/kolchinski/humanception-score",
    ),
    DatasetCard(
        name="agiqa-3k",
        description=(
            "Text-to-image results of six generators in ten settings, 256 x 256, with mean "
            "opinion scores of quality and of agreement with the prompt. Compare within a "
            "generator, split by prompt"
        ),
        size="1,539 images, 29 MB",
        images=1_539,
        shape=(256, 256, 3),
        licence="MIT",
        citation=(
            "Li et al., AGIQA-3K: an open database for AI-generated image quality assessment, "
            "IEEE Transactions on Circuits and Systems for Video Technology, 2023"
        ),
        access="put agiqa3k_dev.parquet in $GIQA_DATA",
        homepage="https://github.com/lcysyzxdxc/AGIQA-3k-Database",
    ),
    DatasetCard(
        name="cifake",
        description=(
            "Fakes by Stable Diffusion 1.4 in the classes of CIFAR-10, 32 x 32, the same JPEG "
            "tables as cifar10.parquet. 1,336 images occur twice"
        ),
        size="60,000 images, 18 MB",
        images=60_000,
        shape=(32, 32, 3),
        classes=_CIFAR10,
        splits=_TRAIN_TEST,
        licence="MIT",
        citation=(
            "Bird and Lotfi, CIFAKE: image classification and explainable identification of "
            "AI-generated synthetic images, IEEE Access, 2024; Rombach et al., High-resolution "
            "image synthesis with latent diffusion models, CVPR 2022"
        ),
        access="put cifake_sd14.parquet in $GIQA_DATA",
        homepage="https://github.com/jordan-bird/CIFAKE-Real-and-AI-Generated-Synthetic-Images",
    ),
    DatasetCard(
        name="gan-ladder",
        description=(
            "Samples of nine generators trained on CIFAR-10, 100 each, 32 x 32, with their "
            "published FID and IS. Brought to JPEG of quality 75, 4:2:0, when loaded, the "
            "encoding of cifar10.parquet"
        ),
        size="900 images, 2 MB",
        images=900,
        shape=(32, 32, 3),
        licence="MIT",
        citation="Preferred Networks, chainer-gan-lib, and the papers of the nine methods",
        access="put gan_ladder_cifar10_dev.parquet in $GIQA_DATA",
        homepage="https://github.com/pfnet-research/chainer-gan-lib",
    ),
    DatasetCard(
        name="ffhq",
        description="Faces from Flickr, aligned, 1024 x 1024 or 128 x 128 or 256 x 256",
        size="70,000 images, 90 GB at 1024 x 1024, 2 GB at 128 x 128",
        images=70_000,
        shape=None,
        licence="CC BY-NC-SA 4.0 (the set); each image has its own licence",
        citation=(
            "Karras, Laine and Aila, A style-based generator architecture for generative "
            "adversarial networks, CVPR 2019"
        ),
        access=f"download it from its homepage, then {_BY_FOLDER.format(name='ffhq')}",
        homepage="https://github.com/NVlabs/ffhq-dataset",
    ),
    *(
        DatasetCard(
            name=f"lsun-{category}",
            description=f"LSUN photographs of the category {category}",
            size=size,
            images=images,
            shape=None,
            licence=_RESEARCH,
            citation=(
                "Yu, Seff, Zhang, Song, Funkhouser and Xiao, LSUN: construction of a large-scale "
                "image dataset using deep learning with humans in the loop, arXiv:1506.03365, 2015"
            ),
            access=(
                "download it from its homepage, export the LMDB to image files "
                f"(its export script does), then {_BY_FOLDER.format(name=f'lsun-{category}')}"
            ),
            homepage="https://github.com/fyu/lsun",
        )
        for category, size, images in (
            ("cat", "1,657,266 images, 42 GB", 1_657_266),
            ("car", "5,520,756 images, 173 GB", 5_520_756),
            ("bedroom", "3,033,042 images, 43 GB", 3_033_042),
        )
    ),
    DatasetCard(
        name="cityscapes",
        description="Street scenes of German cities (leftImg8bit, fine set), 1024 x 2048",
        size="5,000 images, 11 GB",
        images=5_000,
        shape=(1024, 2048, 3),
        splits=("train", "val", "test"),
        licence="own terms, non-commercial, after registration",
        citation=(
            "Cordts et al., The Cityscapes dataset for semantic urban scene understanding, "
            "CVPR 2016"
        ),
        access=(
            "register at its homepage, download leftImg8bit_trainvaltest.zip, then "
            f"{_BY_FOLDER.format(name='cityscapes')}, with train, val and test as folders in it"
        ),
        homepage="https://www.cityscapes-dataset.com",
    ),
    DatasetCard(
        name="celeba-hq",
        description="Celebrity faces, aligned and restored, 1024 x 1024 or 256 x 256",
        size="30,000 images, 2.8 GB as JPEG",
        images=30_000,
        shape=None,
        licence=_RESEARCH,
        citation=(
            "Karras, Aila, Laine and Lehtinen, Progressive growing of GANs for improved quality, "
            "stability, and variation, ICLR 2018"
        ),
        access=(
            "download CelebAMask-HQ.zip from the homepage of CelebAMask-HQ, then put its folder "
            "CelebA-HQ-img at $GIQA_DATA/celeba-hq"
        ),
        homepage="https://github.com/switchablenorms/CelebAMask-HQ",
    ),
    DatasetCard(
        name="digits",
        description=(
            "Handwritten digits, grey, 8 x 8, with 17 levels; of each digit every fifth is in the test split"
        ),
        size="1,797 images, 57 kB",
        images=1_797,
        shape=(8, 8, 1),
        classes=_DIGITS,
        splits=_TRAIN_TEST,
        licence="CC BY 4.0",
        citation=(
            "Alpaydin and Kaynak, Optical recognition of handwritten digits, UCI Machine Learning "
            "Repository, 1998"
        ),
        access="comes with scikit-learn",
        homepage="https://archive.ics.uci.edu/dataset/80",
    ),
    DatasetCard(
        name="toy-faces",
        description=(
            "Drawn faces, RGB, 64 x 64, with exact masks of 8 parts (images.column('mask'), the pixel "
            "value is the class): a stand-in for photographs with label maps"
        ),
        size="5,000 images, drawn when they are read",
        images=5_000,
        shape=(64, 64, 3),
        classes=TOY_FACE_PARTS,
        splits=_TRAIN_TEST,
        licence="that of this library",
        citation="this library, giqa_lib.data.toy_faces",
        access="comes with this library",
    ),
)
_BY_NAME = {card.name: card for card in _CARDS}


def dataset_names() -> tuple[str, ...]:
    """The names of all data sets that ``load`` knows.

    >>> dataset_names()[:2]
    ('fashion-mnist', 'mnist')
    """
    return tuple(_BY_NAME)


def dataset_card(name: str) -> DatasetCard:
    """The card of a data set.

    >>> dataset_card("digits").licence
    'CC BY 4.0'
    """
    check_choice(name, _BY_NAME, name="dataset")
    return _BY_NAME[name]
