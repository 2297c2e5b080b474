from mgrkit.testing import feature_contract

test_contract = feature_contract.checks("made-ears")
