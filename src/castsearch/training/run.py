"""The state of a run, and the loop that changes it."""

from __future__ import annotations

import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, distributed

from castsearch.errors import CastsearchError, InputError
from castsearch.training import checkpoint, schedule
from castsearch.training.augment import Augmentation, on_device, pixel_statistics
from castsearch.training.budget import Clock
from castsearch.training.curves import draw
from castsearch.training.dataset import Dataset
from castsearch.training.log import Reporter, Row, RunLog, read_log
from castsearch.training.losses import CollapseWatch
from castsearch.training.networks import ReidNetwork, start_network
from castsearch.training.options import Options
from castsearch.training.parallel import n_processes, share_statistics
from castsearch.training.process import parameter_groups, until_asked_to_stop
from castsearch.training.result import TrainResult
from castsearch.training.sampler import PKBatches
from castsearch.training.trainee import RunningMean, Trainee
from castsearch.training.validate import validate


class Run:
    """Everything that changes while a network is trained."""

    def __init__(
        self,
        options: Options,
        data: Dataset,
        out: Path,
        accelerator: Accelerator,
        reporter: Reporter,
    ) -> None:
        self.options, self.data, self.out = options, data, out
        self.accelerator, self.reporter = accelerator, reporter
        recipe, device = options.recipe, accelerator.device
        if (recipe.p * recipe.k) % n_processes():
            raise InputError(
                f"A batch of {recipe.p} x {recipe.k} cannot be shared by {n_processes()} "
                "processes alike; choose another --p or --k."
            )
        torch.manual_seed(options.seed)
        self.network: ReidNetwork = start_network(options, data.n_identities)
        self.settings = data.settings(options)
        self.batches = PKBatches(data.labels, recipe.p, recipe.k, options.seed)
        self.statistics = pixel_statistics(options.arch)
        self.augmentation = Augmentation(recipe, self.statistics).to(device)
        trainee = Trainee(self.network, recipe)
        if n_processes() > 1:
            share_statistics(self.network.backbone, device)
        optimizer = torch.optim.Adam(
            parameter_groups(self.network, recipe),
            betas=recipe.betas,
            weight_decay=recipe.weight_decay,
        )
        self.model, self.optimizer = accelerator.prepare(trainee, optimizer)
        self.mean = RunningMean(self.network, recipe.ema) if recipe.ema else None
        self.watch = CollapseWatch(trainee.batch_hard.collapsed_loss)
        self.step = self.n_validated = 0
        self.best: tuple[float, int] | None = None
        self.saved_step: int | None = None
        state = checkpoint.load(out / "last.pt", self.settings)
        elapsed = self._resume(state) if state else 0.0
        self.clock = Clock(options.budget, recipe.steps, self.batches.steps_an_epoch, elapsed)
        self.clock.reserved = state["reserved"] if state else 0.0
        self.log = RunLog(out, self.step if state else -1) if accelerator.is_main_process else None
        self.collapsed = False

    def to_the_end(self) -> TrainResult:
        """Train until the budget is used up."""
        try:
            with until_asked_to_stop() as asked:
                if self.saved_step is None:
                    self._validate()
                    # The last validation is part of the time that was asked for.
                    self.clock.reserved = self.clock.elapsed
                    self._save()
                done, stop = self._agreed(asked())
                last_saved = self.clock.elapsed
                while done < 1.0 and not stop:
                    row = self.train_step(done)
                    done, stop = self._agreed(asked())
                    row["seconds"] = round(self.clock.elapsed, 3)
                    self.note(row, done)
                    if done * self.options.n_validations >= self.n_validated:
                        self._validate()
                        last_saved = -math.inf
                    if self.clock.elapsed - last_saved > self.options.checkpoint_seconds:
                        self._save()
                        last_saved = self.clock.elapsed
                if self.saved_step != self.step:
                    self._save()
                if stop and done < 1.0:
                    raise KeyboardInterrupt
        finally:
            if self.log is not None:
                self.log.close()
        self.accelerator.wait_for_everyone()
        return self._result()

    def train_step(self, done: float) -> Row:
        """One step of the optimizer; the row that is logged of it."""
        recipe = self.options.recipe
        factor = schedule.rate(recipe, done)
        for group in self.optimizer.param_groups:
            group["lr"] = recipe.lr * group["scale"] * factor
        self.model.train()
        sums: dict[str, float] = {}
        for _ in range(self.options.accumulate):
            batch = self._batch()
            with self.accelerator.accumulate(self.model):
                terms: dict[str, Tensor] = self.model(*batch)
                figures = torch.stack([t.detach().float() for t in terms.values()]).tolist()
                if not math.isfinite(figures[0]):
                    raise self._not_finite(figures[0])
                self.accelerator.backward(terms["loss"])
                self.optimizer.step()
                self.optimizer.zero_grad()
            for name, value in zip(terms, figures, strict=True):
                sums[name] = sums.get(name, 0.0) + value / self.options.accumulate
        self.step += 1
        if self.mean is not None:
            self.mean.update(self.network, self.step)
        return {"step": self.step, **sums, "lr": recipe.lr * factor}

    def _batch(self) -> tuple[Tensor, Tensor, Tensor]:
        """This process's pictures of the next batch; identities and cameras of all of it.

        Every process draws and varies the whole batch, from the same random numbers, and keeps its
        share: that costs little, and the number of processes makes no difference.
        """
        device = self.accelerator.device
        indices = self.batches.draw()
        images = self.augmentation(on_device(self.data.train.take(indices), device))
        labels = torch.tensor([self.data.labels[i] for i in indices], device=device)
        cameras = torch.tensor([self.data.cameras[i] for i in indices], device=device)
        n = len(indices) // n_processes()
        start = self.accelerator.process_index * n
        return images[start : start + n], labels, cameras

    def note(self, row: Row, done: float) -> None:
        if self.log is not None:
            self.log.add(row)
        self.reporter.step(row, done, self.clock.seconds_left(self.step, done))
        was, self.collapsed = self.collapsed, self.watch.sees(row["triplet"], row["positive"])
        if self.collapsed and not was:
            sentence = (
                f"Step {self.step}: the training has collapsed: all embeddings are alike and the "
                f"triplet loss stays at {self.watch.collapsed_loss:.4f}, as it does when nothing "
                "is told apart. Try a lower --lr, --margin soft, or a longer --warm-up."
            )
            if self.accelerator.is_main_process:
                self.reporter.warn(sentence)
            if self.log is not None:
                self.log.add({"step": self.step, "event": "collapsed", "message": sentence})

    def _validate(self) -> None:
        """Score the validation split and keep the best network."""
        self.n_validated += 1
        if self.log is None or not self.data.query.listed:
            return
        weights = None
        if self.mean is not None:
            weights = {name: t.clone() for name, t in self.network.state_dict().items()}
            self.network.load_state_dict(self.mean.state)
        try:
            score = validate(
                self.network,
                self.data.query,
                self.data.gallery,
                self.augmentation.prepare,
                self.accelerator.device,
                flip=self.options.test_flip,
            )
        except FloatingPointError as error:
            raise self._not_finite(math.nan) from error
        if weights is not None:
            self.network.load_state_dict(weights)
        row = {"step": self.step, "val_mAP": score.mAP, "val_rank1": score.rank1}
        self.log.add(row | {"seconds": round(self.clock.elapsed, 3)})
        self.reporter.say(
            [f"step {self.step}: validation mAP {score.mAP:.4f}, rank-1 {score.rank1:.4f}"]
        )
        if self.step and (self.best is None or score.mAP > self.best[0]):
            self.best = score.mAP, self.step
            checkpoint.save(self.out / "best.pt", self._network_state())

    def _network_state(self) -> dict[str, Any]:
        """What ranking and export need of the network."""
        return {
            "network": self.network.state_dict() if self.mean is None else self.mean.state,
            "options": asdict(self.network.options),
            "n_identities": self.data.n_identities,
            "size": list(self.options.recipe.size),
            "mean": list(self.statistics[0]),
            "std": list(self.statistics[1]),
            "step": self.step,
            "best": None if self.best is None else list(self.best),
        }

    def _save(self) -> None:
        if not all(bool(t.isfinite().all()) for t in self.network.parameters()):
            raise self._not_finite(math.nan)
        self.saved_step = self.step
        if not self.accelerator.is_main_process:
            return
        scaler = self.accelerator.scaler
        state = self._network_state() | {
            "settings": self.settings,
            "raw": None if self.mean is None else self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "sampler": self.batches.state_dict(),
            "rng": torch.get_rng_state(),
            "elapsed": self.clock.elapsed,
            "reserved": self.clock.reserved,
            "n_validated": self.n_validated,
        }
        checkpoint.save(self.out / "last.pt", state)

    def _resume(self, state: dict[str, Any]) -> float:
        """Take over a checkpoint; returns the seconds that the run has taken so far."""
        self.network.load_state_dict(state["raw"] or state["network"])
        if self.mean is not None:
            self.mean.state = {
                k: t.to(self.accelerator.device) for k, t in state["network"].items()
            }
        self.optimizer.load_state_dict(state["optimizer"])
        if self.accelerator.scaler is not None and state["scaler"] is not None:
            self.accelerator.scaler.load_state_dict(state["scaler"])
        self.batches.load_state_dict(state["sampler"])
        torch.set_rng_state(state["rng"])
        self.step = self.saved_step = state["step"]
        self.n_validated = state["n_validated"]
        self.best = None if state["best"] is None else (state["best"][0], state["best"][1])
        self.reporter.say([f"going on from step {self.step} of {self.out / 'last.pt'}"])
        return float(state["elapsed"])

    def _agreed(self, asked: bool) -> tuple[float, bool]:
        """The share that is done, and whether to stop, as all processes have it."""
        done = self.clock.done(self.step)
        if n_processes() == 1:
            return done, asked
        figures = torch.tensor([done, float(asked)], dtype=torch.float64)
        figures = figures.to(self.accelerator.device)
        distributed.all_reduce(figures, op=distributed.ReduceOp.MAX)
        return float(figures[0]), bool(figures[1])

    def _not_finite(self, value: float) -> CastsearchError:
        file = self.out / "last.pt"
        return CastsearchError(
            f"The loss, the weights or the embeddings became {value} after step {self.step}; the "
            f"checkpoint of step {self.saved_step} is kept in {file}. Use a lower --lr, or "
            "--precision no."
            if self.saved_step is not None
            else f"The loss became {value} at the first step; look at the pictures and --weights."
        )

    def _result(self) -> TrainResult:
        rows = read_log(self.out / "log.jsonl")
        if self.accelerator.is_main_process:
            draw(rows, self.out / "curves.png")
        scores = [row for row in rows if "val_mAP" in row]
        return TrainResult(
            out=self.out,
            steps=self.step,
            seconds=self.clock.elapsed,
            first_mAP=scores[0]["val_mAP"] if scores else None,
            best_mAP=self.best[0] if self.best else None,
            best_step=self.best[1] if self.best else None,
            last_mAP=scores[-1]["val_mAP"] if scores else None,
            last_rank1=scores[-1]["val_rank1"] if scores else None,
            collapsed=self.collapsed,
            skipped=tuple(problem.message for problem in self.data.problems),
            is_main=self.accelerator.is_main_process,
        )
