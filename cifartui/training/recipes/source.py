"""The parts of a recipe as plain PyTorch, which a training script consists of.

The names are the tutorial's: `net`, `trainset`, `trainloader`, `criterion`, `optimizer`, `inputs`, `labels`.
"""

import msgspec

from cifartui.training.recipes.average import MovingAverage
from cifartui.training.recipes.clipping import NormClipping
from cifartui.training.recipes.mixing import CutMix, NoMixing
from cifartui.training.recipes.optimizers import AnyOptimizer
from cifartui.training.recipes.recipe import Recipe
from cifartui.training.recipes.schedules import AnySchedule, Cosine, Linear, OneCycle, StepDecay, WarmedUp
from cifartui.training.recipes.stopping import Patience

LR = "torch.optim.lr_scheduler"
AUTOCAST = {"bf16": "torch.bfloat16", "fp16": "torch.float16"}


def transform_lines(recipe: Recipe) -> list[str]:
    """What is done to an image before the network sees it, by torchvision's transforms."""
    augment, normalize = recipe.augment, recipe.normalize
    steps = ["ToTensor()", f"Normalize({normalize.mean}, {normalize.std})"]
    jitter = {name: getattr(augment, name) for name in ("brightness", "contrast", "saturation")}
    if any(jitter.values()):
        steps.insert(0, f"ColorJitter({', '.join(f'{name}={most:g}' for name, most in jitter.items() if most)})")
    if augment.crop_padding:
        steps.insert(0, f'RandomCrop(32, padding={augment.crop_padding}, padding_mode="reflect")')
    if augment.flip:
        steps.insert(0, "RandomHorizontalFlip()")
    if augment.cutout:
        steps.append(f"RandomErasing(p=1, scale=({augment.cutout}**2 / 32**2,) * 2, ratio=(1, 1))")
    return ["transform = transforms.Compose([", *(f"    transforms.{step}," for step in steps), "])"]


def loader_lines(recipe: Recipe) -> list[str]:
    """How batches come to the network."""
    shuffle, size = recipe.loader.shuffle, recipe.batch_size
    if recipe.loader.kind == "dataloader":
        return [
            "trainloader = torch.utils.data.DataLoader(",
            f"    trainset, batch_size={size}, shuffle={shuffle}, num_workers={recipe.loader.num_workers}",
            ")",
        ]
    order = "torch.randperm" if shuffle else "torch.arange"
    return [
        f"order = {order}(len(all_images), device=device)",
        f"for batch in order.split({size}):",
        "    inputs, labels = all_images[batch], all_labels[batch]",
    ]


def held_out_lines(recipe: Recipe) -> list[str]:
    """How training images are set aside; nothing where none are."""
    if not recipe.validation.images:
        return []
    return [
        f"count = {recipe.validation.images}",
        "held_out, trainset = torch.utils.data.random_split(trainset, [count, len(trainset) - count])",
    ]


def mixing_lines(recipe: Recipe) -> list[str]:
    """How images of a batch are mixed; nothing where they are not."""
    if isinstance(recipe.mixing, NoMixing):
        return []
    kind = "CutMix" if isinstance(recipe.mixing, CutMix) else "MixUp"
    return [
        f"mix = v2.{kind}(alpha={recipe.mixing.alpha!r}, num_classes=len(classes))",
        "inputs, labels = mix(inputs, labels)",
    ]


def initialization_lines(recipe: Recipe) -> list[str]:
    """The weights before the first step."""
    if recipe.initialization == "torch":
        return ["net = Net()  # each layer draws its weights"]
    if recipe.initialization == "whitened":
        return [
            "first = next(layer for layer in net.modules() if isinstance(layer, nn.Conv2d))",
            "patches = nn.functional.unfold(images[:5000], first.kernel_size)",
            "patches = patches.transpose(1, 2).flatten(0, 1)",
            "variances, directions = torch.linalg.eigh(patches.T @ patches / len(patches))",
            "filters = (directions / (variances + 5e-4).sqrt()).T.flip(0)",
            "filters = filters[: len(first.weight) // 2].view(-1, *first.weight.shape[1:])",
            "first.weight.data[: 2 * len(filters)] = torch.cat([filters, -filters])",
            "first.requires_grad_(False)",
        ]
    return [
        "for layer in net.modules():",
        "    if isinstance(layer, (nn.Conv2d, nn.Linear)):",
        '        nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")',
        "        if layer.bias is not None:",
        "            nn.init.zeros_(layer.bias)",
    ]


def criterion_lines(recipe: Recipe) -> list[str]:
    """The loss."""
    smoothing = f"label_smoothing={recipe.label_smoothing:g}" if recipe.label_smoothing else ""
    return [f"criterion = nn.CrossEntropyLoss({smoothing})"]


def optimizer_lines(optimizer: AnyOptimizer) -> list[str]:
    """The optimizer, with the settings that are not torch's own."""
    usual = {field.name: field.default for field in msgspec.structs.fields(optimizer)}
    given = {name: value for name, value in optimizer.arguments().items() if name == "lr" or value != usual[name]}
    settings = ", ".join(f"{name}={value!r}" for name, value in given.items())
    if optimizer.decay_norm_and_bias or not optimizer.weight_decay:
        return [f"optimizer = torch.optim.{optimizer.TORCH_CLASS}(", "    net.parameters(),", f"    {settings},", ")"]
    return [
        "weights = [w for w in net.parameters() if w.ndim > 1]",
        "others = [w for w in net.parameters() if w.ndim <= 1]",
        f"optimizer = torch.optim.{optimizer.TORCH_CLASS}(",
        '    [{"params": weights}, {"params": others, "weight_decay": 0}],',
        f"    {settings},",
        ")",
    ]


def schedule_lines(schedule: AnySchedule, optimizer: AnyOptimizer, epochs: int) -> list[str]:
    """The learning rate's course, of which `scheduler.step()` after each step takes the next; nothing if it is flat."""
    if not schedule.varies:
        return []
    steps = [f"steps = {epochs} * len(trainloader)"]
    if isinstance(schedule, OneCycle):
        return [
            *steps,
            f"scheduler = {LR}.OneCycleLR(",
            f"    optimizer, max_lr={optimizer.learning_rate!r}, total_steps=steps,",
            f"    pct_start={schedule.pct_start!r}, div_factor={schedule.div_factor!r},",
            f"    final_div_factor={schedule.final_div_factor!r},",
            f'    anneal_strategy="{schedule.anneal_strategy}", cycle_momentum=False,',
            ")",
        ]
    course = _course(schedule, optimizer.learning_rate, "steps - warmup" if schedule.warmup_epochs else "steps")
    if not schedule.warmup_epochs:
        return [*steps, f"scheduler = {LR}.{course}"]
    chained = isinstance(schedule, StepDecay)  # its falls are counted from the start of the run
    return [
        *steps,
        f"warmup = round({schedule.warmup_epochs!r} * len(trainloader))",
        f"rise = {LR}.LinearLR(optimizer, 1 / warmup, 1, warmup - 1)",
        f"course = {LR}.{course}",
        f"scheduler = {LR}.ChainedScheduler([rise, course])"
        if chained
        else f"scheduler = {LR}.SequentialLR(optimizer, [rise, course], [warmup])",
    ]


def _course(schedule: WarmedUp, rate: float, steps: str) -> str:
    """torch's class for what follows the warm-up, over so many steps."""
    if isinstance(schedule, StepDecay):
        return f"StepLR(optimizer, {schedule.every_epochs} * len(trainloader), {schedule.gamma!r})"
    if isinstance(schedule, Linear):
        return f"LinearLR(optimizer, 1, {schedule.end_factor!r}, {steps})"
    if isinstance(schedule, Cosine):
        return f"CosineAnnealingLR(optimizer, {steps}, {schedule.end_factor * rate!r})"
    return "ConstantLR(optimizer, 1)"


def device_lines() -> list[str]:
    """A GPU where there is one, and what has to lie on it."""
    return [
        'device = torch.device("cuda:0" if torch.cuda.is_available() else "cpu")',
        "net.to(device)",
        "for inputs, labels in trainloader:",
        "    inputs, labels = inputs.to(device), labels.to(device)",
    ]


def step_lines(recipe: Recipe) -> list[str]:
    """One step of training, from the gradients of the last one to the weights of the next."""
    scaled = recipe.precision == "fp16"
    lines = ["optimizer.zero_grad()"]
    if recipe.images_at_once:
        part = f"split({recipe.images_at_once})"
        lines.append(f"for part, truth in zip(inputs.{part}, labels.{part}):")
        forward = ["loss = criterion(net(part), truth) * len(part) / len(inputs)"]
    else:
        forward = ["outputs = net(inputs)", "loss = criterion(outputs, labels)"]
    if kind := AUTOCAST.get(recipe.precision):
        forward = [f"with torch.autocast(device.type, dtype={kind}):", *(f"    {line}" for line in forward)]
    forward.append("scaler.scale(loss).backward()" if scaled else "loss.backward()")
    indent = "    " * bool(recipe.images_at_once)
    lines += [f"{indent}{line}" for line in forward]
    if isinstance(recipe.clipping, NormClipping):
        lines += ["scaler.unscale_(optimizer)"] * scaled
        lines += [f"nn.utils.clip_grad_norm_(net.parameters(), {recipe.clipping.max_norm!r})"]
    lines += ["scaler.step(optimizer)", "scaler.update()"] if scaled else ["optimizer.step()"]
    lines += ["scheduler.step()"] * recipe.schedule.varies
    lines += ["average.update_parameters(net)"] * isinstance(recipe.average, MovingAverage)
    return lines


def precision_lines(recipe: Recipe) -> list[str]:
    """The numbers that steps compute with, before the first one."""
    if recipe.precision == "tf32":
        return ['torch.set_float32_matmul_precision("high")', "torch.backends.cudnn.allow_tf32 = True"]
    if recipe.precision == "fp16":
        return ["scaler = torch.amp.GradScaler(device.type)"]
    return []


def memory_format_lines(recipe: Recipe) -> list[str]:
    """How images lie in memory."""
    if not recipe.channels_last:
        return ["net(inputs)  # one channel after the other, as torch has it by itself"]
    return [
        "net = net.to(memory_format=torch.channels_last)",
        "inputs = inputs.contiguous(memory_format=torch.channels_last)",
    ]


def average_lines(recipe: Recipe) -> list[str]:
    """The average of the weights that is kept beside them; nothing where none is."""
    if not isinstance(recipe.average, MovingAverage):
        return []
    return [
        "average = torch.optim.swa_utils.AveragedModel(",
        "    net, use_buffers=True,",
        f"    multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn({recipe.average.decay!r}),",
        ")",
    ]


def epoch_lines(recipe: Recipe) -> list[str]:
    """The loops around the steps, with the tutorial's log lines; `...` stands for a step."""
    every = recipe.log_every
    return [
        f"for epoch in range({recipe.epochs}):",
        "    running_loss = 0.0",
        "    for i, (inputs, labels) in enumerate(trainloader):",
        "        ...",
        "        running_loss += loss.item()",
        f"        if i % {every} == {every - 1}:",
        f'            print(f"[{{epoch + 1}}, {{i + 1:5d}}] loss: {{running_loss / {every}:.3f}}")',
        "            running_loss = 0.0",
    ]


def stopping_lines(recipe: Recipe) -> list[str]:
    """After each epoch: whether to go on."""
    if not isinstance(recipe.stopping, Patience):
        return []
    return [
        "if accuracy > best:",
        "    best, waited = accuracy, 0",
        "else:",
        "    waited += 1",
        f"if waited == {recipe.stopping.epochs}:",
        "    break",
    ]


def checkpoint_lines() -> list[str]:
    """What has to be kept to go on later as if nothing had been."""
    return [
        "torch.save({",
        '    "net": net.state_dict(),',
        '    "optimizer": optimizer.state_dict(),',
        '    "generator": torch.get_rng_state(),',
        '    "epoch": epoch,',
        '}, "checkpoint.pth")',
    ]
