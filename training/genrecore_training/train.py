"""One training run, on Lightning: from material to the best weights, resumable."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightning as L
import torch
from lightning.fabric.utilities.exceptions import MisconfigurationException
from lightning.pytorch.callbacks import Callback, EarlyStopping, EMAWeightAveraging, ModelCheckpoint, Timer
from lightning.pytorch.loggers import CSVLogger
from torch import Tensor, nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, DistributedSampler

from genrecore_training.auxiliary import Head, loss_of
from genrecore_training.crops import Crops, EvenCrops, Material, as_batch
from genrecore_training.export import shape_of
from genrecore_training.networks import build
from genrecore_training.networks.layers import Standardise
from genrecore_training.recipes import Optimisation, Recipe

__all__ = ["ANY_DEVICE", "LOGS", "Classifier", "Compute", "Fitted", "HardwareError", "fit"]

#: Folder, within a run's, of the logs: one a time that training was begun or taken up again.
LOGS = "logs"
# Training snippets that scalers are fitted to.
_FITTED_TO = 500


class HardwareError(Exception):
    """What was asked for is not in this machine; the message says what to ask for instead."""


@dataclass(frozen=True)
class Compute:
    """On what to train: Lightning's own words.

    Parameters
    ----------
    accelerator : str
        ``auto``, ``cpu``, ``cuda`` or ``mps``.
    devices, num_nodes : int
        Devices (processes, on ``cpu``) of each node, and nodes.
    strategy : str
        Such as ``auto``, ``ddp``, ``ddp_spawn``.
    precision : str, optional
        In place of the recipe's, such as ``16-mixed`` on a graphics card.
    """

    accelerator: str = "auto"
    devices: int = 1
    num_nodes: int = 1
    strategy: str = "auto"
    precision: str | None = None


#: One device, the best there is.
ANY_DEVICE = Compute()


@dataclass(frozen=True)
class Fitted:
    """What training found.

    Parameters
    ----------
    network : torch.nn.Module
        With its final weights, on the processor, in evaluation mode.
    seconds : float
        Of training, over all attempts.
    epochs : int
        That were run.
    """

    network: nn.Module
    seconds: float
    epochs: int


class Classifier(L.LightningModule):
    """A network with its loss and optimiser.

    Parameters
    ----------
    recipe : Recipe
        Names the network and how to train it.
    heads : sequence of Head
        What it is asked; the first is the task itself, and the network's own output.
    """

    def __init__(self, recipe: Recipe, heads: Sequence[Head]) -> None:
        super().__init__()
        self.network = build(recipe.network, heads[0].size, shape_of(recipe.input), recipe.network_options)
        self.asked = tuple(heads)
        output: Any = self.network.output if len(heads) > 1 else None
        self.beside = nn.ModuleList(nn.Linear(output.in_features, head.size) for head in heads[1:])
        self.settings = recipe.optimisation
        self.seed = recipe.seed
        self._right: dict[int, Tensor] = {}
        self._loss, self._seen = 0.0, 0

    def forward(self, snippets: Tensor) -> Tensor:
        return self.network(snippets)

    def on_train_epoch_start(self) -> None:
        loader: Any = self.trainer.train_dataloader
        loader.dataset.set_epoch(self.current_epoch)

    def on_train_batch_start(self, batch: Any, batch_idx: int) -> None:
        # Dropout: a resumed run drops what an unbroken one would, whatever else has drawn numbers in between.
        torch.manual_seed((self.seed * self.trainer.world_size + self.global_rank) * 2**32 + self.global_step)

    def training_step(self, batch: tuple[Tensor, Tensor], _: int) -> Tensor:
        snippets, targets = batch
        loss = loss_of(self._answers(snippets).float(), targets, self.asked, self.settings.label_smoothing)
        self.log("train_loss", loss, on_epoch=True, on_step=False, batch_size=len(snippets), sync_dist=True)
        return loss

    def _answers(self, snippets: Tensor) -> Tensor:
        """Logits of all heads, side by side."""
        if not self.beside:
            return self(snippets)
        network: Any = self.network
        embedding = network.embed(snippets)
        return torch.cat([network.output(embedding), *(head(embedding) for head in self.beside)], dim=1)

    def on_validation_epoch_start(self) -> None:
        self._right = {}
        self._loss, self._seen = 0.0, 0

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        snippets, targets, tracks = batch
        logits = self(snippets).float()
        loss = cross_entropy(logits, targets)
        self._loss += float(loss) * len(snippets)
        self._seen += len(snippets)
        self.log("val_loss", loss, on_epoch=True, prog_bar=True, batch_size=len(snippets), sync_dist=True)
        evidence = torch.softmax(logits, 1)
        for track, probability, target in zip(tracks.tolist(), evidence, targets, strict=True):
            seen = self._right.setdefault(track, torch.zeros(2, len(target)))
            seen[0] += probability.cpu()
            seen[1] = target.cpu()

    def on_validation_epoch_end(self) -> None:
        if self.settings.schedule == "plateau" and not self.trainer.sanity_checking:
            # Before the checkpoint: Lightning would step after it, and a resumed run would have missed a step.
            plateau: Any = self.lr_schedulers()
            plateau.step(self._loss / self._seen)
        right = [float(seen[0].argmax() == seen[1].argmax()) for seen in self._right.values()]
        self.log("val_accuracy", sum(right) / len(right), prog_bar=True, sync_dist=True)

    def configure_optimizers(self) -> Any:
        how = self.settings
        optimiser = _optimiser(how, [weights for weights in self.parameters() if weights.requires_grad])
        if how.schedule == "constant":
            return optimiser
        if how.schedule == "plateau":
            # Keras acts on the last of the patient epochs, PyTorch on the one after.
            plateau = torch.optim.lr_scheduler.ReduceLROnPlateau(
                optimiser,
                factor=0.1,
                patience=how.patience - 1,
                threshold=1e-4,
                threshold_mode="abs",
                min_lr=how.least_learning_rate,
            )
            # Never stepped by Lightning, but in `on_validation_epoch_end`.
            never = {"frequency": sys.maxsize, "monitor": "val_loss"}
            return {"optimizer": optimiser, "lr_scheduler": {"scheduler": plateau, **never}}
        cosine = torch.optim.lr_scheduler.OneCycleLR(
            optimiser,
            max_lr=how.learning_rate,
            total_steps=int(self.trainer.estimated_stepping_batches),
            pct_start=0.15,
        )
        return {"optimizer": optimiser, "lr_scheduler": {"scheduler": cosine, "interval": "step"}}


class _Loaders(L.LightningDataModule):
    """Batches of this process's share of the snippets; made when it is known which process this is."""

    def __init__(self, crops: Crops, validation: EvenCrops, recipe: Recipe) -> None:
        super().__init__()
        self.crops = crops
        self.validation = validation
        self.batch = recipe.optimisation.batch
        self.seed = recipe.seed

    def train_dataloader(self) -> DataLoader[Any]:
        trainer = self.trainer
        world, rank = (trainer.world_size, trainer.global_rank) if trainer is not None else (1, 0)
        return DataLoader(
            self.crops,
            batch_size=self.batch,
            # Shuffles anew each epoch, by seed and epoch.
            sampler=DistributedSampler(
                self.crops, num_replicas=world, rank=rank, shuffle=True, seed=self.seed
            ),
            drop_last=len(self.crops) // world > self.batch,
            collate_fn=as_batch,
        )

    def val_dataloader(self) -> DataLoader[Any]:
        # Every process sees all of it, so that decisions are those of a single one.
        return DataLoader(self.validation, batch_size=2 * self.batch, collate_fn=as_batch)


class _Lines(Callback):
    """One plain line an epoch, where there is no terminal to draw a bar on."""

    def on_validation_end(self, trainer: L.Trainer, _: L.LightningModule) -> None:
        if trainer.is_global_zero:
            seen = trainer.callback_metrics
            print(
                f"epoch {trainer.current_epoch + 1} of at most {trainer.max_epochs}: validation loss "
                f"{float(seen['val_loss']):.4f}, accuracy {float(seen['val_accuracy']):.4f}",
                flush=True,
            )


def fit(
    recipe: Recipe,
    train: Sequence[Material],
    validation: Sequence[Material],
    *,
    heads: Sequence[Head],
    folder: Path,
    compute: Compute = ANY_DEVICE,
) -> Fitted | None:
    """Train a network, or go on where an earlier call in the same folder stopped.

    Parameters
    ----------
    recipe : Recipe
        Network and optimisation.
    train, validation : sequence of Material
        The tracks, for validation with the targets of the first head only; it decides on learning rate and stopping.
    heads : sequence of Head
        What is asked, the task itself first.
    folder : Path
        For checkpoints and logs.
    compute : Compute
        On what to train.

    Returns
    -------
    Fitted or None
        The network with the weights that the recipe keeps. None in all but the first of several processes.

    Raises
    ------
    HardwareError
        If the machine lacks what was asked for.
    """
    # Lightning's own words on devices and its maker's other wares.
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    L.seed_everything(recipe.seed, verbose=False)
    how, size = recipe.optimisation, shape_of(recipe.input)[-1]
    crops = Crops(train, size, recipe.augmentation, recipe.seed)
    loaders = _Loaders(crops, EvenCrops(validation, size), recipe)
    module = Classifier(recipe, heads)
    _fit_scaler(module.network, crops)
    module.network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # half again as fast
    best = ModelCheckpoint(folder, monitor="val_loss", filename="best", enable_version_counter=False)
    # When all of an epoch is done: from the middle of its end on, a resumed run would differ.
    latest = ModelCheckpoint(
        folder, filename="last", enable_version_counter=False, save_on_train_epoch_end=True
    )
    last = folder / "last.ckpt"
    if not _is_finished(last, how) and not _train(
        module, loaders, _trainer(how, compute, folder, [best, latest, Timer()]), last
    ):
        return None
    # Always from the file: a run that was killed after its last epoch has nothing but it.
    end = torch.load(last, map_location="cpu", weights_only=False)
    kept = how.keep or ("best" if how.schedule == "plateau" else "last")
    chosen = torch.load(folder / f"{kept}.ckpt", map_location="cpu", weights_only=False)
    module.load_state_dict(chosen["state_dict"])
    seconds = end["callbacks"][Timer.__qualname__]["time_elapsed"]["train"]
    return Fitted(module.network.cpu().eval(), seconds, end["epoch"] + 1)


def _train(module: Classifier, loaders: _Loaders, trainer: L.Trainer, last: Path) -> bool:
    """Train, from the last checkpoint on; False in all but the first of several processes."""
    outside = trainer.num_nodes > 1 or "LOCAL_RANK" in os.environ
    if outside and _Trained.once:
        raise HardwareError(
            "processes that are started from outside can do one training a command: give the same command again"
        )
    _Trained.once = True
    try:
        trainer.fit(
            module, datamodule=loaders, ckpt_path=str(last) if last.is_file() else None, weights_only=False
        )
    except SystemExit:  # what Lightning makes of Ctrl-C
        if trainer.interrupted:
            raise KeyboardInterrupt from None
        raise
    return trainer.is_global_zero


class _Trained:
    """Whether this process has trained already."""

    once = False


def _is_finished(last: Path, how: Optimisation) -> bool:
    """Whether a checkpoint is that of the last epoch, of all or by early stopping."""
    if not last.is_file():
        return False
    state = torch.load(last, map_location="cpu", weights_only=False)
    stopping = [
        kept for name, kept in state["callbacks"].items() if name.startswith(EarlyStopping.__qualname__)
    ]
    stopped = any(kept["wait_count"] >= kept["patience"] for kept in stopping)
    return stopped or state["epoch"] + 1 >= how.epochs


def _trainer(how: Optimisation, compute: Compute, folder: Path, callbacks: list[Callback]) -> L.Trainer:
    on_terminal = sys.stderr.isatty()
    outside = compute.num_nodes > 1 or "LOCAL_RANK" in os.environ
    several = compute.devices > 1 and not outside
    if several and compute.strategy not in ("auto", "ddp_spawn"):
        raise HardwareError(
            f"--strategy {compute.strategy} repeats the whole command in each process: on one machine leave it out, "
            "or start the processes with torchrun"
        )
    try:
        return L.Trainer(
            accelerator=compute.accelerator,
            devices=compute.devices,
            num_nodes=compute.num_nodes,
            # Started anew for each of many trainings, unlike ddp, which repeats the whole command in each process.
            strategy="ddp_spawn" if several else compute.strategy,
            max_epochs=how.epochs,
            precision=compute.precision or how.precision,  # type: ignore[arg-type]
            gradient_clip_val=how.gradient_clip,
            deterministic="warn",
            callbacks=[*callbacks, *_callbacks(how), *([] if on_terminal else [_Lines()])],
            logger=CSVLogger(
                folder, name=LOGS
            ),  # of each attempt its own, since a new one deletes what is there
            enable_progress_bar=on_terminal,
            enable_model_summary=False,
            log_every_n_steps=10,
            num_sanity_val_steps=0,
            use_distributed_sampler=False,
        )
    except (MisconfigurationException, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise HardwareError(
            f"cannot train with accelerator {compute.accelerator}, {compute.devices} device(s) and strategy "
            f"{compute.strategy} on this machine: {reason} (--accelerator auto takes what there is)"
        ) from error


def _optimiser(how: Optimisation, weights: list[nn.Parameter]) -> torch.optim.Optimizer:
    rate, decay = how.learning_rate, how.weight_decay
    if how.name == "sgd":
        return torch.optim.SGD(weights, lr=rate, momentum=how.momentum, weight_decay=decay)
    if how.name == "rmsprop":
        # Keras' smoothing of the mean square.
        return torch.optim.RMSprop(weights, lr=rate, alpha=0.9, weight_decay=decay)
    kind = torch.optim.AdamW if how.name == "adamw" else torch.optim.Adam
    return kind(weights, lr=rate, weight_decay=decay)


def _callbacks(how: Optimisation) -> list[Callback]:
    chosen: list[Callback] = []
    if how.early_stopping is not None:
        chosen.append(EarlyStopping("val_loss", patience=how.early_stopping))
    if how.ema is not None:
        chosen.append(EMAWeightAveraging(decay=how.ema, use_buffers=True))
    return chosen


def _fit_scaler(network: nn.Module, crops: Crops) -> None:
    """Mean and deviation of training snippets, for networks that standardise what they hear."""
    norm = getattr(network, "norm", None)
    if isinstance(norm, Standardise):
        rng = torch.Generator().manual_seed(crops.seed)
        picked = torch.randperm(len(crops), generator=rng)[:_FITTED_TO].tolist()
        snippets, _ = crops.__getitems__(picked)
        norm.fit(snippets)
