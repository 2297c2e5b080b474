"""197,218 parameters for pictures of 40 bands, crops of 80 frames and ten genres, as published."""

from mgrkit_neural.classifier import NeuralClassifier

LONG, HIGH, DENSE = 60, 32, 200


class Pons(NeuralClassifier):
    def network(self):
        from torch import cat, nn

        class Beside(nn.ModuleList):
            def forward(self, x):
                return cat([branch(x).flatten(1) for branch in self], 1)

        def branch(kernel, pool):
            layers = nn.Conv2d(1, filters, kernel), nn.ReLU(), nn.MaxPool2d(pool)
            return nn.Sequential(*layers)

        bands, frames = self.task.shape[0], self.parameters.columns(self.task)
        filters, long, high = self.parameters.filters, min(LONG, frames), min(HIGH, bands)
        both = Beside([branch((1, long), (bands, 1)), branch((high, 1), (1, frames))])
        numbers = filters * (frames - long + 1 + bands - high + 1)
        dense = nn.Linear(numbers, DENSE), nn.ReLU(), nn.Dropout(0.5)
        return nn.Sequential(both, *dense, nn.Linear(DENSE, len(self.task.labels)))
