"""One training run, on Lightning: from material to the best weights, resumable."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, DistributedSampler

from genrecore_training.crops import Crops, EvenCrops, Material, as_batch
from genrecore_training.networks import build
from genrecore_training.networks.layers import WaveformNorm
from genrecore_training.recipes import Optimisation, Recipe

__all__ = ["Classifier", "fit"]


class Classifier(L.LightningModule):
    """A network with its loss and optimiser.

    Parameters
    ----------
    recipe : Recipe
        Names the network and how to train it.
    classes : int
        How many.
    steps : int
        Training steps of the whole run, for the cosine schedule.
    """

    def __init__(self, recipe: Recipe, classes: int, steps: int) -> None:
        super().__init__()
        self.network = build(recipe.network, classes, recipe.network_options)
        self.settings = recipe.optimisation
        self.seed = recipe.seed
        self.steps = steps
        self._right: dict[int, Tensor] = {}

    def forward(self, snippets: Tensor) -> Tensor:
        return self.network(snippets)

    def on_train_epoch_start(self) -> None:
        loader: Any = self.trainer.train_dataloader
        loader.dataset.set_epoch(self.current_epoch)
        torch.manual_seed(
            self.seed + self.current_epoch
        )  # dropout: a resumed run drops what an unbroken one would

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        snippets, targets = batch
        loss = cross_entropy(self(snippets).float(), targets, label_smoothing=self.settings.label_smoothing)
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=len(snippets))
        return loss

    def on_validation_epoch_start(self) -> None:
        self._right = {}

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        snippets, targets, tracks = batch
        logits = self(snippets).float()
        loss = cross_entropy(logits, targets)
        self.log("val_loss", loss, on_epoch=True, prog_bar=True, batch_size=len(snippets))
        evidence = torch.softmax(logits, 1)
        for track, probability, target in zip(tracks.tolist(), evidence, targets, strict=True):
            seen = self._right.setdefault(track, torch.zeros(2, len(target)))
            seen[0] += probability.cpu()
            seen[1] = target.cpu()

    def on_validation_epoch_end(self) -> None:
        right = [float(seen[0].argmax() == seen[1].argmax()) for seen in self._right.values()]
        self.log("val_accuracy", sum(right) / len(right), prog_bar=True)

    def configure_optimizers(self) -> Any:
        how = self.settings
        kind = torch.optim.AdamW if how.name == "adamw" else torch.optim.Adam
        optimiser = kind(self.parameters(), lr=how.learning_rate, weight_decay=how.weight_decay)
        if how.schedule == "plateau":
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, factor=0.1, patience=how.patience)
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, "monitor": "val_loss"}}
        cosine = torch.optim.lr_scheduler.OneCycleLR(
            optimiser, max_lr=how.learning_rate, total_steps=self.steps, pct_start=0.15
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}


def fit(
    recipe: Recipe,
    train: Sequence[Material],
    validation: Sequence[Material],
    *,
    classes: int,
    folder: Path,
    size: int,
) -> nn.Module:
    """Train a network, or go on where an earlier call in the same folder stopped.

    Parameters
    ----------
    recipe : Recipe
        Network and optimisation.
    train, validation : sequence of Material
        The tracks; validation decides on learning rate and stopping.
    classes : int
        How many.
    folder : Path
        For checkpoints and logs.
    size : int
        Samples, or columns, of a snippet.

    Returns
    -------
    torch.nn.Module
        The network with its final weights, in evaluation mode: the last (averaged) ones of a cosine run, those of the
        best validation loss of a plateau run.
    """
    L.seed_everything(recipe.seed, verbose=False)
    how = recipe.optimisation
    crops = Crops(train, size, recipe.augmentation, recipe.seed)
    loader: DataLoader[Any] = DataLoader(
        crops,
        batch_size=how.batch,
        # Of one process; shuffles anew each epoch, by seed and epoch.
        sampler=DistributedSampler(crops, num_replicas=1, rank=0, shuffle=True, seed=recipe.seed),
        drop_last=len(crops) > how.batch,
        collate_fn=as_batch,
    )
    check: DataLoader[Any] = DataLoader(
        EvenCrops(validation, size),
        batch_size=2 * how.batch,
        collate_fn=as_batch,
    )
    module = Classifier(recipe, classes, how.epochs * len(loader))
    _fit_scaler(module.network, crops)
    module.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half again as fast
    keeper = ModelCheckpoint(
        folder, monitor="val_loss", filename="best", save_last=True, enable_version_counter=False
    )
    trainer = L.Trainer(
        accelerator="auto",
        devices=1,
        max_epochs=how.epochs,
        precision=how.precision,
        gradient_clip_val=5.0,
        callbacks=[keeper, *_callbacks(how)],
        logger=CSVLogger(folder, name="", version=""),
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        log_every_n_steps=10,
        num_sanity_val_steps=0,
    )
    last = folder / "last.ckpt"
    trainer.fit(module, loader, check, ckpt_path=str(last) if last.is_file() else None, weights_only=False)
    if how.schedule == "plateau":
        state = torch.load(
            keeper.best_model_path or folder / "best.ckpt", map_location="cpu", weights_only=False
        )
        module.load_state_dict(state["state_dict"])
    return module.network.cpu().eval()


def _callbacks(how: Optimisation) -> list[Callback]:
    chosen: list[Callback] = []
    if how.early_stopping is not None:
        chosen.append(EarlyStopping("val_loss", patience=how.early_stopping))
    if how.ema is not None:
        chosen.append(EMAWeightAveraging(decay=how.ema, use_buffers=True))
    return chosen


def _fit_scaler(network: nn.Module, crops: Crops) -> None:
    """Mean and deviation of the training snippets, for networks that standardise samples."""
    norm = getattr(network, "norm", None)
    if isinstance(norm, WaveformNorm):
        rng = torch.Generator().manual_seed(crops.seed)
        picked = torch.randperm(len(crops), generator=rng)[:500].tolist()
        samples, _ = crops.__getitems__(picked)
        norm.fit(float(samples.mean()), float(samples.std()))
