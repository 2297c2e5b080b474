"""The time-frequency network of Pons, Lidy and Serra for mgrkit."""
