"""From a trained model to one examined ONNX bundle.

    preprocessing = Preprocessing.fit(rows)            # train on preprocessing.apply(rows)
    scoring = Scoring("classifier", classes, preprocessing, medians)
    model = graph.assemble(network, scoring)           # enough to score with, for thresholds
    threshold, budget = calibration.threshold(graph.run(model, benign).score, 5e-5)
    data = bundle.build(network, scoring, Identity(..., threshold, budget, ...))
    report = verify.check(data, network, scoring, rows)

One graph, written on a `Sheet`: preprocessing, network, score head. Keras networks are freed of sequences
(unroll), go through tf2onnx, their gradient is written by hand (keras_network); two of them, a classifier
and an autoencoder, are one network of two outputs (beside) and one score (heads.ensemble); a scikit-learn
forest goes through skl2onnx and explains itself in the same walk through its trees (forest); a logistic
regression is two matrices.

What is easy to get wrong, and where it is held:

- tf2onnx lowers `where` so that a NaN leaks from the branch not taken: preprocessing is not Keras.
- tf2onnx does not raise on what it cannot convert: every bundle is checked in full and compared.
- A forest's thresholds stand on training values, where the last bit of a logarithm decides, and numpy
  and ONNX Runtime round it differently: forests take `Preprocessing.plain`.
- A sum along a row depends on the row's place in memory, and the last incomplete vector of an array
  rounds differently: sums along rows are products with a column of ones, the sensor fills batches up
  to multiples of 16 rows, and `verify.check` asks for the same bits in every batch and order.
- Reasons can equal their reference and still explain nothing: they are held against occlusion.
- The operator Sign is slow on the CPU; a product and a clip say the same.
"""
