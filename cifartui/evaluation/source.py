"""How a trained network is kept and judged, as plain PyTorch with the tutorial's names."""


def saving_lines(path: str) -> list[str]:
    """The weights, and nothing else, into a file."""
    return [f"torch.save(net.state_dict(), {path!r})"]


def loading_lines(path: str) -> list[str]:
    """The weights out of it, into a new network."""
    return ["net = Net()", f"net.load_state_dict(torch.load({path!r}, weights_only=True))", "net.eval()"]


def accuracy_lines() -> list[str]:
    """The share of right answers for the test images."""
    return [
        "net.eval()",
        "with torch.no_grad():",
        "    for images, labels in testloader:",
        "        predicted = net(images).argmax(dim=1)",
        "        total += len(labels)",
        "        correct += (predicted == labels).sum().item()",
        'print(f"{correct / total:.1%}")',
    ]


def per_class_lines() -> list[str]:
    """Right answers and images for each class."""
    return [
        "predicted = net(images).argmax(dim=1)",
        "for label, answer in zip(labels, predicted):",
        "    class_total[label] += 1",
        "    class_correct[label] += int(answer == label)",
    ]


def confusion_lines() -> list[str]:
    """How often each class was taken for each."""
    return [
        "confusion = torch.zeros(len(classes), len(classes), dtype=torch.int64)",
        "predicted = net(images).argmax(dim=1)",
        "for label, answer in zip(labels, predicted):",
        "    confusion[label, answer] += 1",
    ]
