"""The tutorial's own script: batch 4, two workers, two epochs, on the files that torchvision's CIFAR10 reads.

`python -m tests.bench.tutorial_script ROOT` prints the tutorial's log lines and, last, the seconds that its training
loop took. ROOT holds `cifar-10-batches-py`, written by `tests.bench.official_files`, so its checksums are not those
that torchvision knows: they are left out, and nothing else is changed.
"""

import sys
import time

import torch
import torch.nn as nn
import torch.optim as optim
import torchvision
import torchvision.transforms as transforms

from tests.tutorial import Net


class CIFAR10(torchvision.datasets.CIFAR10):
    """torchvision's reader without its list of checksums."""

    meta = {**torchvision.datasets.CIFAR10.meta, "md5": None}

    def _check_integrity(self) -> bool:
        return True


def main(root: str) -> None:
    """The tutorial, in its own words."""
    transform = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))])
    trainset = CIFAR10(root=root, train=True, download=False, transform=transform)
    trainloader = torch.utils.data.DataLoader(trainset, batch_size=4, shuffle=True, num_workers=2)
    testset = CIFAR10(root=root, train=False, download=False, transform=transform)
    testloader = torch.utils.data.DataLoader(testset, batch_size=4, shuffle=False, num_workers=2)

    net = Net()
    criterion = nn.CrossEntropyLoss()
    optimizer = optim.SGD(net.parameters(), lr=0.001, momentum=0.9)

    started = time.perf_counter()
    for epoch in range(2):  # loop over the dataset multiple times
        running_loss = 0.0
        for i, data in enumerate(trainloader, 0):
            # get the inputs; data is a list of [inputs, labels]
            inputs, labels = data

            # zero the parameter gradients
            optimizer.zero_grad()

            # forward + backward + optimize
            outputs = net(inputs)
            loss = criterion(outputs, labels)
            loss.backward()
            optimizer.step()

            # print statistics
            running_loss += loss.item()
            if i % 2000 == 1999:  # print every 2000 mini-batches
                print("[%d, %5d] loss: %.3f" % (epoch + 1, i + 1, running_loss / 2000), flush=True)  # noqa: UP031  # as in the tutorial
                running_loss = 0.0
    seconds = time.perf_counter() - started

    correct, total = 0, 0
    with torch.no_grad():
        for images, labels in testloader:
            _, predicted = torch.max(net(images), 1)
            total += labels.size(0)
            correct += (predicted == labels).sum().item()
    print(f"Accuracy of the network on the {total} test images: {100 * correct / total:.1f} %")
    print(f"{seconds:.3f}")


if __name__ == "__main__":
    main(sys.argv[1])
